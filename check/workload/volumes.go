package workload

import (
	corev1 "k8s.io/api/core/v1"

	"bulwark/check/internal/misconfig"
	"bulwark/check/internal/posture"
	"bulwark/kube"
)

// volumeRules are about volumes and devices beside folders of the node.
var volumeRules = []*posture.Rule{
	{
		Rule: misconfig.Rule{ID: "workload/mount-propagation", Severity: medium, Title: "What a container mounts appears on the node",
			Tags: []string{"cis-docker:5.20", "attack:T1611"}, Fix: "take mountPropagation: Bidirectional out; HostToContainer sees the node's mounts without making any",
			Why:   "it lays a file system over any folder below on the node and in all other pods that see it. Medium: the container has to be privileged for it, and that is told of too",
			Noise: "CSI drivers mount volumes for pods this way", Refs: []string{"https://kubernetes.io/docs/concepts/storage/volumes/#mount-propagation"}},
		Workload: func(h *posture.Hits, w *kube.Workload) {
			for c := range each(w) {
				for i, m := range c.VolumeMounts {
					if m.MountPropagation != nil && *m.MountPropagation == corev1.MountPropagationBidirectional {
						danger(h, w, at(w, c, "mountPropagation: Bidirectional at "+m.MountPath, "volumeMounts", i, "mountPropagation"))
					}
				}
			}
		},
	},
	{
		Rule: misconfig.Rule{ID: "workload/block-device", Severity: medium, Title: "A container has a raw block device",
			Tags: []string{"cis-docker:5.18", "attack:T1006"}, Fix: "use a volume with a file system (volumeMode: Filesystem)",
			Why:   "it reads and writes the disk below any file system: what was there before, and what the kernel then parses. Low for a disk of its own; medium where the volume is a disk of the node (local or hostPath)",
			Noise: "databases and virtual machines take whole disks", Refs: []string{"https://kubernetes.io/docs/concepts/storage/persistent-volumes/#raw-block-volume-support"}},
		Workload: blockDevices,
	},
	{
		Rule: misconfig.Rule{ID: "workload/hostpath-claim", Severity: low, Hygiene: true, Title: "A claim leads to a folder of the node",
			Tags: []string{"cis:5.1.9", "attack:T1611"}, Fix: "use a storage class that makes volumes, or a local volume with node affinity",
			Why:   "the Pod Security Standards forbid hostPath in pods but do not look behind claims: a namespace that enforces restricted lets this in. Hygiene: somebody with rights over the cluster's volumes made it, and what the folder gives away has a finding as any folder of the node",
			Noise: "clusters of one node and provisioners of local paths store data this way", Refs: []string{"https://kubernetes.io/docs/concepts/storage/persistent-volumes/", docsPSS}},
		Workload: func(h *posture.Hits, w *kube.Workload) {
			for i := range w.Spec.Volumes {
				v := &w.Spec.Volumes[i]
				if host, _, _ := hostOf(h.Set, w, v); host != "" && v.PersistentVolumeClaim != nil {
					h.Add(inPod(w, "the claim "+v.PersistentVolumeClaim.ClaimName+" has a volume that is "+host+" of the node", "volumes", i))
				}
			}
		},
	},
	{
		Rule: misconfig.Rule{ID: "workload/volume-type", Severity: low, Hygiene: true, Title: "A volume is of a kind that pods should not name themselves",
			Tags: []string{"pss:restrictedVolumes"}, Fix: "ask for storage by a PersistentVolumeClaim",
			Why:   "pods that name a server or a driver themselves carry its credentials and choose what the node mounts as root. Hygiene: it is the server that decides",
			Noise: "NFS shares are often mounted this way", Refs: []string{docsPSS, "https://kubernetes.io/docs/concepts/storage/volumes/"}},
		Workload: volumeTypes,
	},
	{
		Rule: misconfig.Rule{ID: "workload/git-repo-volume", Severity: high, Title: "A volume is filled by git on the node",
			Tags: []string{"pss:restrictedVolumes", "attack:T1611"}, Fix: "clone in an init container into an emptyDir",
			Why:   "the kubelet runs git as root on the node with an address that the pods choose, and hooks of a repository have run there (CVE-2024-10220). Kubernetes 1.33 and later refuse it unless told otherwise",
			Noise: "clusters that are patched and name a repository of their own", Refs: []string{"https://kubernetes.io/docs/concepts/storage/volumes/#gitrepo", "https://github.com/kubernetes/kubernetes/issues/128885"}},
		Workload: func(h *posture.Hits, w *kube.Workload) {
			for i, v := range w.Spec.Volumes {
				if v.GitRepo != nil {
					h.Add(inPod(w, "volume "+v.Name+": gitRepo", "volumes", i, "gitRepo"))
				}
			}
		},
	},
	{
		Rule: misconfig.Rule{ID: "workload/memory-volume", Severity: low, Title: "A volume in memory has no limit",
			Tags: []string{"attack:T1499"}, Fix: "set emptyDir.sizeLimit",
			Why:   "what is written to it is the node's memory: without sizeLimit and without a memory limit of every container, one pod takes all of it. Low: told of only where both are missing",
			Noise: "shared memory (/dev/shm) of databases and browsers", Refs: []string{"https://kubernetes.io/docs/concepts/storage/volumes/#emptydir"}},
		Workload: func(h *posture.Hits, w *kube.Workload) {
			for i, v := range w.Spec.Volumes {
				if v.EmptyDir != nil && v.EmptyDir.Medium == corev1.StorageMediumMemory && v.EmptyDir.SizeLimit == nil && unlimited(h.Set, w) {
					h.Add(inPod(w, "emptyDir "+v.Name+" with medium: Memory, no sizeLimit and no memory limit", "volumes", i, "emptyDir"))
				}
			}
		},
	},
}

// unlimited tells whether a container of a workload has no memory limit.
func unlimited(s *kube.Set, w *kube.Workload) bool {
	for c := range lasting(w) {
		if !limited(s, w, c, corev1.ResourceMemory) {
			return true
		}
	}
	return false
}

func blockDevices(h *posture.Hits, w *kube.Workload) {
	for c := range each(w) {
		for i, d := range c.VolumeDevices {
			hit := at(w, c, "volumeDevices: "+d.Name+" at "+d.DevicePath, "volumeDevices", i)
			hit.Severity = low
			for j := range w.Spec.Volumes {
				v := &w.Spec.Volumes[j]
				if v.Name != d.Name || v.PersistentVolumeClaim == nil {
					continue
				}
				pv := boundTo(h.Set, w.Namespace, v.PersistentVolumeClaim.ClaimName)
				if own := pv.Get("spec", "local", "path").Text() + pv.Get("spec", "hostPath", "path").Text(); own != "" {
					hit.Severity = medium
					hit.Evidence += ", which is " + own + " of the node"
				}
			}
			danger(h, w, hit)
		}
	}
}

func volumeTypes(h *posture.Hits, w *kube.Workload) {
	for i, v := range w.Spec.Volumes {
		var kind string
		switch s := v.VolumeSource; {
		case s.NFS != nil:
			kind = "nfs"
		case s.ISCSI != nil:
			kind = "iscsi"
		case s.Glusterfs != nil:
			kind = "glusterfs"
		case s.RBD != nil:
			kind = "rbd"
		case s.FlexVolume != nil:
			kind = "flexVolume"
		case s.Cinder != nil:
			kind = "cinder"
		case s.CephFS != nil:
			kind = "cephfs"
		case s.Flocker != nil:
			kind = "flocker"
		case s.FC != nil:
			kind = "fc"
		case s.AzureFile != nil:
			kind = "azureFile"
		case s.AzureDisk != nil:
			kind = "azureDisk"
		case s.GCEPersistentDisk != nil:
			kind = "gcePersistentDisk"
		case s.AWSElasticBlockStore != nil:
			kind = "awsElasticBlockStore"
		case s.VsphereVolume != nil:
			kind = "vsphereVolume"
		case s.Quobyte != nil:
			kind = "quobyte"
		case s.PortworxVolume != nil:
			kind = "portworxVolume"
		case s.ScaleIO != nil:
			kind = "scaleIO"
		case s.StorageOS != nil:
			kind = "storageos"
		default:
			continue
		}
		h.Add(inPod(w, "volume "+v.Name+": "+kind, "volumes", i, kind))
	}
}
