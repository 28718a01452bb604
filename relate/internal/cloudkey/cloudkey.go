// Package cloudkey tells keys of clouds by what they are called: variables of programs, and
// keys of Secrets as the clouds' controllers, drivers and operators have them.
package cloudkey

import (
	"slices"
	"strings"
)

// variables are those that programs of a cloud read a key from. Names, numbers of accounts and
// regions, which open nothing, are not among them.
var variables = map[string]string{
	"AWS_SECRET_ACCESS_KEY": "aws",
	"AZURE_CLIENT_SECRET":   "azure", "ARM_CLIENT_SECRET": "azure", "AZURE_STORAGE_KEY": "azure", "AZURE_STORAGE_ACCOUNT_KEY": "azure", "AZURE_STORAGE_CONNECTION_STRING": "azure",
	"GOOGLE_CREDENTIALS": "gcp", "GOOGLE_APPLICATION_CREDENTIALS_JSON": "gcp", "GCP_SERVICE_ACCOUNT_KEY": "gcp",
	"ALIBABA_CLOUD_ACCESS_KEY_SECRET": "alibaba", "ALICLOUD_SECRET_KEY": "alibaba", "ALICLOUD_ACCESS_KEY_SECRET": "alibaba",
	"IBMCLOUD_API_KEY": "ibm", "IC_API_KEY": "ibm", "IAM_API_KEY": "ibm", "BLUEMIX_API_KEY": "ibm",
	"DIGITALOCEAN_ACCESS_TOKEN": "digitalocean", "DIGITALOCEAN_TOKEN": "digitalocean", "DO_TOKEN": "digitalocean", "DO_API_TOKEN": "digitalocean", "SPACES_SECRET_ACCESS_KEY": "digitalocean",
	"HCLOUD_TOKEN": "hetzner", "HETZNER_TOKEN": "hetzner", "HETZNER_API_TOKEN": "hetzner", "HETZNER_DNS_API_TOKEN": "hetzner", "ROBOT_PASSWORD": "hetzner",
	"LINODE_TOKEN": "linode", "LINODE_API_TOKEN": "linode", "LINODE_ACCESS_TOKEN": "linode", "LINODE_CLI_TOKEN": "linode",
	"SCW_SECRET_KEY": "scaleway", "SCALEWAY_SECRET_KEY": "scaleway", "SCALEWAY_TOKEN": "scaleway",
	"OS_PASSWORD": "openstack", "OS_APPLICATION_CREDENTIAL_SECRET": "openstack", "OS_TOKEN": "openstack",
	"OCI_CLI_KEY_CONTENT": "oci", "OCI_PRIVATE_KEY": "oci", "TF_VAR_PRIVATE_KEY": "oci",
	"VULTR_API_KEY": "vultr", "CIVO_TOKEN": "civo", "CIVO_API_KEY": "civo", "UPCLOUD_PASSWORD": "upcloud", "UPCLOUD_TOKEN": "upcloud",
	"EXOSCALE_API_SECRET": "exoscale", "EXOSCALE_SECRET_KEY": "exoscale", "OVH_APPLICATION_SECRET": "ovh", "OVH_CONSUMER_KEY": "ovh",
	"METAL_AUTH_TOKEN": "equinix", "PACKET_AUTH_TOKEN": "equinix", "PACKET_API_KEY": "equinix",
	"TENCENTCLOUD_SECRET_KEY": "tencent", "HW_SECRET_KEY": "huawei", "OTC_SECRET_KEY": "otc", "YC_TOKEN": "yandex", "YC_SERVICE_ACCOUNT_KEY_FILE": "yandex",
	"CLOUDFLARE_API_TOKEN": "cloudflare", "CLOUDFLARE_API_KEY": "cloudflare", "CF_API_TOKEN": "cloudflare", "CF_API_KEY": "cloudflare",
	"VSPHERE_PASSWORD": "vsphere", "GOVC_PASSWORD": "vsphere", "NUTANIX_PASSWORD": "nutanix", "PROXMOX_VE_API_TOKEN": "proxmox", "PROXMOX_TOKEN_SECRET": "proxmox",
}

// lower are the variables as keys of Secrets have them: with any of "-._" between words.
var lower = func() map[string]string {
	all := make(map[string]string, len(variables))
	for v, provider := range variables {
		all[strings.ToLower(v)] = provider
	}
	return all
}()

// Variable is the provider whose key a variable holds; "" for none.
func Variable(called string) string { return variables[called] }

// words are those of names of Secrets that say of which cloud their keys are.
var words = map[string]string{
	"digitalocean": "digitalocean", "hcloud": "hetzner", "hetzner": "hetzner", "linode": "linode", "scaleway": "scaleway", "scw": "scaleway", "vultr": "vultr", "civo": "civo",
	"exoscale": "exoscale", "upcloud": "upcloud", "ovh": "ovh", "oci": "oci", "ibmcloud": "ibm", "alibaba": "alibaba", "alicloud": "alibaba", "aliyun": "alibaba", "openstack": "openstack", "cinder": "openstack",
	"cloudflare": "cloudflare", "equinix": "equinix", "metal": "equinix", "packet": "equinix", "tencent": "tencent", "tencentcloud": "tencent", "huawei": "huawei", "huaweicloud": "huawei", "yandex": "yandex",
	"vsphere": "vsphere", "nutanix": "nutanix", "proxmox": "proxmox", "stackit": "stackit", "ionos": "ionos",
}

// opening are keys of such Secrets that open the cloud: "token" of hcloud, "access-token" of
// digitalocean, "apiToken" of linode.
var opening = strings.Fields("token access_token accesstoken api_token apitoken api_key apikey api_secret apisecret secret_key secretkey secret_access_key secretaccesskey access_key_secret accesskeysecret " +
	"password auth_token authtoken client_secret clientsecret secret credentials cloud_conf clouds_yaml cloud_config key_json consumer_key application_secret robot_password ibm_api_key serviceaccount_token")

// Of is the provider whose key a Secret holds, by its own name, the name of the key and what is
// there where that is known; "" for none.
func Of(secret, key, value string) string {
	plain := strings.NewReplacer("-", "_", ".", "_").Replace(strings.ToLower(key))
	if provider := lower[plain]; provider != "" {
		return provider
	}
	if provider := content(plain, value); provider != "" {
		return provider
	}
	if secret == "aws-secret" && plain == "access_key" { // of the driver of EBS
		return "aws"
	}
	if !slices.Contains(opening, plain) && !strings.HasSuffix(plain, "_password") {
		return ""
	}
	for _, word := range strings.FieldsFunc(strings.ToLower(secret), func(r rune) bool { return r == '-' || r == '.' || r == '_' }) {
		if provider := words[word]; provider != "" {
			return provider
		}
	}
	return ""
}

// content tells files of keys by what they are called or hold.
func content(plain, value string) string {
	has := func(text string) bool { return strings.Contains(value, text) }
	switch {
	case strings.Contains(plain, "aws_secret"), strings.Contains(plain, "secret_access_key"), plain == "secretaccesskey", plain == "awssecretaccesskey", has("aws_secret_access_key"):
		return "aws"
	case has(`"type": "service_account"`), has(`"type":"service_account"`), strings.Contains(plain, "gcp") && strings.HasSuffix(plain, "json"):
		return "gcp"
	case plain == "service_account_json", plain == "serviceaccount_json", plain == "google_application_credentials":
		return "gcp"
	case plain == "azurestorageaccountkey", strings.Contains(plain, "azure") && (strings.Contains(plain, "secret") || strings.HasSuffix(plain, "json")), has("aadClientSecret"):
		return "azure"
	case plain == "clouds_yaml", plain == "cloud_conf" && (value == "" || has("auth-url") || has("application-credential")), has("application-credential-secret"), has("application_credential_secret"):
		return "openstack"
	case plain == "cloud_provider_yaml" && (value == "" || has("tenancy")), has("ocid1.tenancy."):
		return "oci"
	case plain == "slclient_toml", plain == "ibm_credentials_env":
		return "ibm"
	case plain == "csi_vsphere_conf", plain == "vsphere_conf", strings.HasSuffix(plain, "_password") && strings.Contains(plain, "vcenter"):
		return "vsphere"
	case plain == "cloud_sa_json":
		return "equinix"
	}
	return ""
}
