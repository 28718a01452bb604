package exposure

import (
	"strings"

	"bulwark"
	"bulwark/check/internal/misconfig"
	"bulwark/check/internal/posture"
	"bulwark/kube"
)

var backupRules = []*posture.Rule{
	{
		Rule: misconfig.Rule{ID: "exposure/backup-insecure", Severity: medium, Title: "Backups go where nobody checks who takes them",
			Tags:  []string{"attack:T1557", "attack:T1530"},
			Fix:   "https, with caCert, and insecureSkipTLSVerify: \"false\"",
			Why:   "a backup of Velero's has every object of the cluster in it, Secrets too: whoever stands on the way has them, and the credentials for the store",
			Noise: "a store in the same cluster, for trials",
			Refs:  []string{"https://velero.io/docs/main/self-signed-certificates/"}},
		Kinds: []string{"BackupStorageLocation.velero.io"},
		Object: func(h *posture.Hits, o *kube.Object) {
			config := o.Root.Get("spec", "config")
			if v := config.Get("insecureSkipTLSVerify").Text(); v == "true" {
				path := []any{"spec", "config", "insecureSkipTLSVerify"}
				h.Add(posture.Hit{Object: o, Path: path, Evidence: "insecureSkipTLSVerify: true", Edits: []kube.Edit{kube.Put("false", path...)}})
			}
			if v := config.Get("s3Url").Text(); strings.HasPrefix(v, "http://") {
				h.Add(posture.Hit{Object: o, Path: []any{"spec", "config", "s3Url"}, Evidence: "s3Url is http"})
			}
		},
	},
	{
		Rule: misconfig.Rule{ID: "exposure/backup-unencrypted", Severity: low, Hygiene: true, Title: "Backups name no key of one's own",
			Tags:  []string{"attack:T1530"},
			Fix:   "kmsKeyId or serverSideEncryption in the location's config",
			Why:   "a backup has every Secret of the cluster in it; encryption with a key of one's own keeps them from who can merely read the bucket",
			Noise: "buckets that encrypt with such a key by themselves",
			Refs:  []string{"https://velero.io/docs/main/api-types/backupstoragelocation/"}},
		Kinds: []string{"BackupStorageLocation.velero.io"},
		Object: func(h *posture.Hits, o *kube.Object) {
			config := o.Root.Get("spec", "config")
			for _, key := range []string{"kmsKeyId", "serverSideEncryption", "kmsKeyName", "customerKeyEncryptionFile", "customerKeyEncryptionSecret"} {
				if config.Get(key).Text() != "" {
					return
				}
			}
			h.Add(posture.Hit{Object: o, Path: []any{"spec", "config"}, Evidence: "neither kmsKeyId nor serverSideEncryption"})
		},
	},
	{
		Rule: misconfig.Rule{ID: "exposure/backup-key", Severity: low, Title: "Backups are written with a key that lies in the cluster",
			Tags:  []string{"attack:T1552.007", "attack:T1490"},
			Fix:   "let Velero's service account take on a role of the cloud; keep backups where they cannot be deleted for a while",
			Why:   "who reads the Secret reads all backups, and may delete them: the last thing before a ransom is asked. Low, since it takes the rights to read Secrets",
			Noise: "stores that know no identity of workloads",
			Refs:  []string{"https://velero.io/docs/main/locations/"}},
		Kinds: []string{"BackupStorageLocation.velero.io"},
		Object: func(h *posture.Hits, o *kube.Object) {
			if name := o.Root.Get("spec", "credential", "name").Text(); name != "" {
				h.Add(posture.Hit{Object: o, Path: []any{"spec", "credential"}, Evidence: "the Secret " + name})
			}
		},
	},
	{
		Rule: misconfig.Rule{ID: "exposure/snapshot-deleted", Severity: low, Hygiene: true, Title: "Deleting a snapshot's object deletes the snapshot",
			Tags:  []string{"attack:T1490"},
			Fix:   "deletionPolicy: Retain in the class that backups use",
			Why:   "whoever may delete objects in a namespace deletes its backups with them",
			Noise: "snapshots that only help a copy",
			Refs:  []string{"https://kubernetes.io/docs/concepts/storage/volume-snapshot-classes/"}},
		Kinds: []string{"VolumeSnapshotClass.snapshot.storage.k8s.io"},
		Object: func(h *posture.Hits, o *kube.Object) {
			path := []any{"deletionPolicy"}
			if o.Root.At(path...).Text() == "Delete" {
				h.Add(posture.Hit{Object: o, Path: path, Severity: bulwark.SeverityLow, Evidence: "deletionPolicy: Delete", Edits: []kube.Edit{kube.Put("Retain", path...)}})
			}
		},
	},
}
