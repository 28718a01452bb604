package exposure

import (
	"fmt"
	"strings"

	"bulwark/check/internal/misconfig"
	"bulwark/check/internal/posture"
	"bulwark/kube"
)

const aboutStorage = "https://kubernetes.io/docs/concepts/storage/storage-classes/"

var storageRules = []*posture.Rule{
	{
		Rule: misconfig.Rule{ID: "exposure/storage-unencrypted", Severity: medium, Title: "Volumes of a class are not encrypted",
			Tags:  []string{"attack:T1530"},
			Fix:   "the provisioner's parameter for encryption (encrypted: \"true\" for EBS, with kmsKeyId), in a new class",
			Why:   "disks, snapshots and copies of them can be read by whoever gets at them beside the cluster. Medium where it is switched off; hygiene where nothing is said, since the account may have it by default",
			Noise: "data that is public; encryption below, which the class does not tell",
			Refs:  []string{aboutStorage, "https://github.com/kubernetes-sigs/aws-ebs-csi-driver/blob/master/docs/parameters.md"}},
		Kinds: []string{"StorageClass.storage.k8s.io"}, Object: unencryptedClass,
	},
	{
		Rule: misconfig.Rule{ID: "exposure/storage-no-own-key", Severity: low, Hygiene: true, Title: "Volumes are encrypted with a key of the cloud's choice",
			Fix:   "kmsKeyId (EBS), disk-encryption-kms-key (Google Cloud), diskEncryptionSetID (Azure)",
			Why:   "with a key of one's own it can be seen who used it, and taken away from a disk that was copied",
			Noise: "where no rule asks for a key of one's own",
			Refs:  []string{aboutStorage}},
		Kinds: []string{"StorageClass.storage.k8s.io"}, Object: noOwnKey,
	},
	{
		Rule: misconfig.Rule{ID: "exposure/volume-on-host", Severity: low, Title: "A PersistentVolume is a folder of a node",
			Tags:  []string{"attack:T1611", "edge:EXPLOIT_HOST_WRITE"},
			Fix:   "a volume of a CSI driver; for disks of the node type local, with its nodeAffinity",
			Why:   "Pod Security does not see it: a pod that may not mount the node's folders does so by a claim. High for folders that lead to the node (/, /etc, /var/lib/kubelet, sockets); low for others, whose data stay on the node in the clear",
			Noise: "clusters of one node for development",
			Refs:  []string{"https://kubernetes.io/docs/concepts/storage/volumes/#hostpath", "https://kubernetes.io/docs/concepts/security/pod-security-standards/"}},
		Kinds: []string{"PersistentVolume"}, Object: onHost,
	},
	{
		Rule: misconfig.Rule{ID: "exposure/storage-deleted", Severity: low, Hygiene: true, Title: "Deleting a claim deletes a database's disk",
			Tags:  []string{"attack:T1485"},
			Fix:   "reclaimPolicy: Retain in the class that databases use",
			Why:   "whoever may delete a claim or namespace, by mistake or on purpose, deletes the data",
			Noise: "data that can be made again; backups that are tried out",
			Refs:  []string{"https://kubernetes.io/docs/concepts/storage/persistent-volumes/#reclaiming"}},
		Set: deletedWithClaim,
	},
	{
		Rule: misconfig.Rule{ID: "exposure/network-storage-plain", Severity: low, Title: "A volume comes over the network in the clear",
			Tags:  []string{"attack:T1040", "attack:T1557"},
			Fix:   "NFS 4 with sec=krb5p, EFS with encryptInTransit, iSCSI with chapAuthSession over a network of its own",
			Why:   "NFS believes the address and the user's number, and sends everything in the clear; iSCSI without CHAP gives the disk to whoever asks. Low, since storage networks are mostly apart",
			Noise: "a storage network that nobody else is in",
			Refs:  []string{"https://kubernetes.io/docs/concepts/storage/volumes/#nfs", "https://kubernetes.io/docs/concepts/storage/volumes/#iscsi"}},
		Kinds: []string{"PersistentVolume"}, Object: overNetwork,
	},
	{
		Rule: misconfig.Rule{ID: "exposure/shared-volume", Severity: low, Hygiene: true, Title: "Programs of different service accounts write to one volume",
			Tags:  []string{"attack:T1080"},
			Fix:   "a volume for each, or readOnly for those that only read",
			Why:   "who takes over one of them plants files for the others to read or run",
			Noise: "programs that hand each other files by design",
			Refs:  []string{"https://kubernetes.io/docs/concepts/storage/persistent-volumes/#access-modes"}},
		Set: sharedVolumes,
	},
}

func parameter(o *kube.Object, name string) string {
	for key, v := range o.Root.Get("parameters").Fields() {
		if strings.EqualFold(key, name) {
			return v.Text()
		}
	}
	return ""
}

// aws tells whether a provisioner is that of EBS or EFS.
func ebs(o *kube.Object) bool {
	p := o.Root.Get("provisioner").Text()
	return p == "ebs.csi.aws.com" || p == "kubernetes.io/aws-ebs" || p == "ebs.csi.eks.amazonaws.com"
}

func unencryptedClass(h *posture.Hits, o *kube.Object) {
	path := []any{"parameters"}
	said := strings.ToLower(orElse(parameter(o, "encrypted"), parameter(o, "encryption")))
	provisioner := o.Root.Get("provisioner").Text()
	switch {
	case said == "false" || said == "off" || said == "none":
		name := "encrypted"
		if parameter(o, name) == "" {
			name = "encryption"
		}
		h.Add(posture.Hit{Object: o, Path: append(path, name), Evidence: fmt.Sprintf("%s: %s: %s", provisioner, name, said)})
	case said == "" && ebs(o):
		h.Add(posture.Hit{Object: o, Path: path, Severity: low, Tags: hygiene, Evidence: provisioner + ": encrypted is not set"})
	case said == "" && (provisioner == "driver.longhorn.io" || strings.HasSuffix(provisioner, "rbd.csi.ceph.com") || provisioner == "kubernetes.io/portworx-volume" && parameter(o, "secure") == "" || provisioner == "kubernetes.io/rbd"):
		h.Add(posture.Hit{Object: o, Path: path, Severity: low, Tags: hygiene, Evidence: provisioner + ": no parameter for encryption"})
	}
}

func noOwnKey(h *posture.Hits, o *kube.Object) {
	provisioner := o.Root.Get("provisioner").Text()
	key := map[string]string{"pd.csi.storage.gke.io": "disk-encryption-kms-key", "disk.csi.azure.com": "diskEncryptionSetID", "kubernetes.io/azure-disk": "diskEncryptionSetID"}[provisioner]
	if ebs(o) && strings.EqualFold(parameter(o, "encrypted"), "true") {
		key = "kmsKeyId"
	}
	if key != "" && parameter(o, key) == "" {
		h.Add(posture.Hit{Object: o, Path: []any{"parameters"}, Evidence: provisioner + ": no " + key})
	}
}

// leadsToNode tells whether a folder of a node leads to its control.
func leadsToNode(folder string) bool {
	folder = strings.TrimSuffix(folder, "/")
	if folder == "" {
		return true
	}
	for _, p := range []string{"/etc", "/root", "/proc", "/sys", "/dev", "/boot", "/usr", "/bin", "/sbin", "/lib", "/var/run", "/run", "/var/lib/kubelet", "/var/lib/docker", "/var/lib/containerd", "/var/lib/etcd", "/var/log", "/var/spool/cron", "/home"} {
		if folder == p || strings.HasPrefix(folder, p+"/") && p != "/home" && p != "/usr" && p != "/run" && p != "/var/run" || strings.HasSuffix(folder, ".sock") {
			return true
		}
	}
	return folder == "/var" || folder == "/var/lib"
}

func onHost(h *posture.Hits, o *kube.Object) {
	n := o.Root.Get("spec", "hostPath", "path")
	if local := o.Root.Get("spec", "local", "path"); local.Exists() {
		onLocal(h, o, local.Text())
	}
	if !n.Exists() {
		return
	}
	hit := posture.Hit{Object: o, Path: []any{"spec", "hostPath"}, Evidence: "hostPath: " + n.Text()}
	if leadsToNode(n.Text()) {
		hit.Severity, hit.Evidence = high, hit.Evidence+", which leads to the node"
	}
	h.Add(hit)
}

// onLocal looks at a volume of type local, which is a disk that was given away on purpose,
// unless its path says something else.
func onLocal(h *posture.Hits, o *kube.Object, folder string) {
	hit := posture.Hit{Object: o, Path: []any{"spec", "local", "path"}, Severity: high, Evidence: "local: " + folder}
	switch {
	case strings.ContainsAny(folder, "&|;`"):
		hit.Evidence += ", which a shell of a Windows node may read (CVE-2023-5528)"
		hit.Tags = []string{"cve:CVE-2023-5528"}
	case leadsToNode(folder) && !strings.HasPrefix(folder, "/dev/"):
		hit.Evidence += ", which leads to the node"
	default:
		return
	}
	h.Add(hit)
}

// databases are words of images that hold data which is missed.
func isDatabase(w *kube.Workload) bool {
	for i := range w.Containers {
		image := kube.ImageName(w.Containers[i].Image)
		for _, word := range []string{"postgres", "mysql", "mariadb", "mongo", "elasticsearch", "opensearch", "cassandra", "etcd", "cockroach", "clickhouse", "influxdb", "couchdb", "neo4j", "minio", "vault", "kafka", "rabbitmq"} {
			if strings.Contains(image, word) && !w.Containers[i].Init {
				return true
			}
		}
	}
	return false
}

func deletedWithClaim(h *posture.Hits, s *kube.Set) {
	classes := map[string]*kube.Object{}
	for _, o := range s.Kind("storage.k8s.io", "StorageClass") {
		classes[o.Name] = o
		if o.Annotations["storageclass.kubernetes.io/is-default-class"] == "true" {
			classes[""] = o
		}
	}
	if len(classes) == 0 {
		return
	}
	for _, w := range s.Workloads() {
		if w.Kind != "StatefulSet" || !isDatabase(w) {
			continue
		}
		for i, t := range w.Root.Get("spec", "volumeClaimTemplates").Items() {
			class := classes[t.Get("spec", "storageClassName").Text()]
			if class == nil {
				continue
			}
			if p := class.Root.Get("reclaimPolicy").Text(); p == "" || p == "Delete" {
				h.Add(posture.Hit{Object: w.Object, Path: []any{"spec", "volumeClaimTemplates", i}, Evidence: "the class " + class.Name + " deletes the disk with the claim"})
			}
		}
	}
}

func overNetwork(h *posture.Hits, o *kube.Object) {
	spec := o.Root.Get("spec")
	options := strings.Join(spec.Get("mountOptions").Strings(), ",")
	switch {
	case spec.Get("nfs").Exists() && !strings.Contains(options, "sec=krb5p") && !strings.Contains(options, "xprtsec="):
		h.Add(posture.Hit{Object: o, Path: []any{"spec", "nfs"}, Evidence: "NFS without sec=krb5p"})
	case spec.Get("iscsi").Exists() && !spec.Get("iscsi", "chapAuthSession").True():
		h.Add(posture.Hit{Object: o, Path: []any{"spec", "iscsi"}, Evidence: "iSCSI without chapAuthSession"})
	case spec.Get("csi", "driver").Text() == "efs.csi.aws.com" && spec.Get("csi", "volumeAttributes", "encryptInTransit").Text() == "false":
		h.Add(posture.Hit{Object: o, Path: []any{"spec", "csi", "volumeAttributes", "encryptInTransit"}, Evidence: "EFS with encryptInTransit: false"})
	}
}

func sharedVolumes(h *posture.Hits, s *kube.Set) {
	first := map[string]*kube.Workload{} // by claim
	for _, w := range s.Workloads() {
		for i := range w.Spec.Volumes {
			c := w.Spec.Volumes[i].PersistentVolumeClaim
			if c == nil || c.ReadOnly {
				continue
			}
			key := w.Namespace + "/" + c.ClaimName
			other := first[key]
			if other == nil {
				first[key] = w
				continue
			}
			if other.ServiceAccount() != w.ServiceAccount() {
				h.Pod(w, []any{"volumes", i}, "the claim "+c.ClaimName+" is also written to by "+other.ID())
			}
		}
	}
}
