package secrets

import (
	"strings"

	"bulwark/check/internal/misconfig"
	"bulwark/check/internal/posture"
	"bulwark/kube"
)

var cloudRules = []*posture.Rule{
	{
		Rule: misconfig.Rule{ID: "secrets/cloud-key", Severity: low, Title: "A pod signs in to the cloud with a key instead of its identity",
			Tags:  []string{"sec:SEC30", "attack:T1078.004", "attack:T1552.005"},
			Fix:   "bind the service account to a role of the cloud (IRSA or pod identity, workload identity), and delete the key",
			Why:   "the key works from anywhere and until somebody replaces it, which nobody does; an identity gives tokens of an hour that belong to the pod. Low, since it is not known what the key may do",
			Noise: "clusters outside of that cloud; storage that speaks S3 and knows no identities, where it is not seen that it is none of AWS's",
			Refs:  []string{"https://docs.aws.amazon.com/eks/latest/userguide/iam-roles-for-service-accounts.html", "https://cloud.google.com/kubernetes-engine/docs/how-to/workload-identity", "https://learn.microsoft.com/azure/aks/workload-identity-overview"}},
		Workload: cloudKeys,
	},
}

// cloudVariables are those that a cloud's programs read a key from.
var cloudVariables = map[string]string{
	"AWS_SECRET_ACCESS_KEY": "AWS", "AZURE_CLIENT_SECRET": "Azure", "ARM_CLIENT_SECRET": "Azure", "GOOGLE_CREDENTIALS": "Google Cloud", "GOOGLE_APPLICATION_CREDENTIALS_JSON": "Google Cloud",
	"AZURE_STORAGE_KEY": "Azure", "AZURE_STORAGE_ACCOUNT_KEY": "Azure", "ALIBABA_CLOUD_ACCESS_KEY_SECRET": "Alibaba Cloud", "ALICLOUD_SECRET_KEY": "Alibaba Cloud", "IBMCLOUD_API_KEY": "IBM Cloud",
}

func cloudKeys(h *posture.Hits, w *kube.Workload) {
	for i := range w.Containers {
		c := &w.Containers[i]
		elsewhere := false
		for _, e := range c.Env {
			name := strings.ToUpper(e.Name)
			elsewhere = elsewhere || strings.Contains(name, "ENDPOINT") || strings.Contains(name, "MINIO") || strings.Contains(name, "S3_URL") || name == "S3_HOST"
		}
		for j, e := range c.Env {
			cloud, ok := cloudVariables[e.Name]
			switch {
			case ok && cloud == "AWS" && (elsewhere || strings.Contains(c.Image, "minio")):
			case ok && (e.Value != "" && !fillIn.MatchString(e.Value) || e.ValueFrom != nil && e.ValueFrom.SecretKeyRef != nil):
				h.Container(w, c, []any{"env", j}, "the variable "+e.Name+" has a key of "+cloud)
			case e.Name == "GOOGLE_APPLICATION_CREDENTIALS" && fromSecret(w, c, e.Value):
				h.Container(w, c, []any{"env", j}, "the variable "+e.Name+" names a key file of Google Cloud that a Secret holds")
			}
		}
	}
}

// fromSecret tells whether a file is mounted from a Secret.
func fromSecret(w *kube.Workload, c *kube.Container, file string) bool {
	for _, m := range c.VolumeMounts {
		if m.MountPath == "" || !strings.HasPrefix(file, strings.TrimSuffix(m.MountPath, "/")) {
			continue
		}
		for i := range w.Spec.Volumes {
			if v := &w.Spec.Volumes[i]; v.Name == m.Name && v.Secret != nil {
				return true
			}
		}
	}
	return false
}
