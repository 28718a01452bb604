package cloudkey

import "testing"

func TestOf(t *testing.T) {
	for _, tt := range []struct{ secret, key, value, want string }{
		{"aws-secret", "access_key", "", "aws"},
		{"aws-rds", "password", "", ""},
		{"any", "AWS_SECRET_ACCESS_KEY", "", "aws"},
		{"any", "aws-secret-access-key", "", "aws"},
		{"cloud-credentials", "cloud", "[default]\naws_secret_access_key = x", "aws"},
		{"any", "key.json", `{"type": "service_account"}`, "gcp"},
		{"azure-cloud-provider", "cloud-config", `{"aadClientSecret": "x"}`, "azure"},
		{"digitalocean", "access-token", "", "digitalocean"},
		{"external-dns", "DO_TOKEN", "", "digitalocean"},
		{"hcloud", "token", "", "hetzner"},
		{"hcloud", "network", "", ""},
		{"hcloud-csi", "token", "", "hetzner"},
		{"linode", "apiToken", "", "linode"},
		{"linode", "region", "", ""},
		{"ccm-linode", "token", "", "linode"},
		{"scaleway-secret", "SCW_SECRET_KEY", "", "scaleway"},
		{"scaleway-secret", "SCW_ACCESS_KEY", "", ""},
		{"vultr-ccm", "api-key", "", "vultr"},
		{"civo-api-access", "api-key", "", "civo"},
		{"cloud-config", "cloud.conf", "[Global]\nauth-url=https://x\npassword=y", "openstack"},
		{"openstack", "clouds.yaml", "", "openstack"},
		{"oci-cloud-controller-manager", "cloud-provider.yaml", "auth:\n  tenancy: ocid1.tenancy.oc1..x", "oci"},
		{"ibmcloud-credentials", "ibmcloud_api_key", "", "ibm"},
		{"alibaba", "ALIBABA_CLOUD_ACCESS_KEY_SECRET", "", "alibaba"},
		{"metal-cloud-config", "cloud-sa.json", "", "equinix"},
		{"cloudflare-api-token", "api-token", "", "cloudflare"},
		{"vsphere-cloud-secret", "10.0.0.1.password", "", "vsphere"},
		{"vsphere-cloud-secret", "10.0.0.1.username", "", ""},
		{"web", "token", "", ""},
		{"web", "password", "", ""},
		{"aws-load-balancer-tls", "tls.key", "", ""},
		{"metal-prices", "currency", "", ""},
	} {
		if got := Of(tt.secret, tt.key, tt.value); got != tt.want {
			t.Errorf("Of(%q, %q) = %q, want %q", tt.secret, tt.key, got, tt.want)
		}
	}
	if Variable("HCLOUD_TOKEN") != "hetzner" || Variable("HOME") != "" {
		t.Error("variables are not told")
	}
}
