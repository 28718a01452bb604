package cloud

import (
	"maps"
	"slices"
	"strings"

	"bulwark"
	"bulwark/kube"
	"bulwark/relate/internal/name"
)

// ends are API groups, by their ends, whose operator commands a cloud.
var ends = []struct{ end, provider string }{{".services.k8s.aws", "aws"}, {".cnrm.cloud.google.com", "gcp"}, {".azure.com", "azure"}}

// crossplane are the words before the end of groups of Crossplane's providers.
var crossplane = map[string]string{
	"aws": "aws", "gcp": "gcp", "azure": "azure", "azuread": "azure", "alibaba": "alibaba", "oci": "oci", "ibm": "ibm", "ibmcloud": "ibm", "digitalocean": "digitalocean", "hcloud": "hetzner", "hetzner": "hetzner",
	"linode": "linode", "scaleway": "scaleway", "openstack": "openstack", "vultr": "vultr", "civo": "civo", "exoscale": "exoscale", "ovh": "ovh", "upcloud": "upcloud", "equinix": "equinix", "metal": "equinix",
	"tencentcloud": "tencent", "huaweicloud": "huawei", "opentelekomcloud": "otc", "yandex": "yandex", "yandex-cloud": "yandex", "cloudflare": "cloudflare", "vsphere": "vsphere", "stackit": "stackit", "ionoscloud": "ionos",
}

func providerOf(group string) string {
	for _, e := range ends {
		if strings.HasSuffix(group, e.end) {
			return e.provider
		}
	}
	for _, end := range []string{".upbound.io", ".crossplane.io", ".jet.crossplane.io"} {
		if rest, ok := strings.CutSuffix(group, end); ok {
			rest = strings.TrimSuffix(rest, ".m")
			if p := crossplane[rest[strings.LastIndexByte(rest, '.')+1:]]; p != "" {
				return p
			}
		}
	}
	return ""
}

// providers relates operators, by group, to the identity that they command the cloud with:
// a provider's configuration where there is one, what they are called otherwise.
func (c *cloud) providers() {
	groups := map[string]bool{}
	for _, o := range c.set.Objects {
		group := o.Group()
		if o.Is("apiextensions.k8s.io", "CustomResourceDefinition") {
			group = o.Root.Get("spec", "group").Text()
		}
		provider := providerOf(group)
		if provider == "" {
			continue
		}
		groups[group] = true
		if strings.HasSuffix(o.Kind, "ProviderConfig") {
			c.providerConfig(o, provider)
		}
	}
	for _, group := range slices.Sorted(maps.Keys(groups)) {
		provider := providerOf(group)
		c.relation(name.Operator(group), operatorOf(provider), "CLOUD_BY_OPERATOR", commanded, "commands "+provider+" with the operator's identity", nil, "")
	}
}

func operatorOf(provider string) bulwark.VertexID {
	return name.Cloud(provider, "identity of the operators")
}

// providerConfig relates what holds the credentials of a provider of Crossplane: a secret, or
// the account that the provider runs as.
func (c *cloud) providerConfig(o *kube.Object, provider string) {
	credentials := o.Root.Get("spec", "credentials")
	if ref := credentials.Get("secretRef"); ref.Get("name").Text() != "" {
		ns := ref.Get("namespace").Text()
		if ns == "" {
			ns = o.Namespace
		}
		c.relation(name.Secret(ns, ref.Get("name").Text()), operatorOf(provider), "CLOUD_KEYS", 1, "holds the credentials of "+o.ID(),
			o, "let the provider log in by its service account (source: IRSA, WebIdentity or InjectedIdentity), and delete the key", "spec", "credentials", "secretRef")
	}
	if chain := o.Root.Get("spec", "assumeRoleChain"); chain.Len() > 0 {
		for i, r := range chain.Items() {
			if arn := r.Get("roleARN").Text(); arn != "" {
				c.relation(operatorOf(provider), name.Cloud(provider, arn), "CLOUD_ROLE", 1, "takes on the role "+arn, o, "take the role out of "+o.ID(), "spec", "assumeRoleChain", i)
			}
		}
	}
}

// configConnector relates the accounts that Config Connector runs as.
func (c *cloud) configConnector() {
	for _, kind := range []string{"ConfigConnector", "ConfigConnectorContext"} {
		for _, o := range c.set.Kind("core.cnrm.cloud.google.com", kind) {
			id := o.Root.Get("spec", "googleServiceAccount").Text()
			account := "cnrm-controller-manager"
			if o.Namespace != "" && kind == "ConfigConnectorContext" {
				account += "-" + o.Namespace
			}
			if id != "" {
				c.relation(name.Account("cnrm-system", account), name.Cloud("gcp", id), "CLOUD_ROLE", 1, "acts as the service account of Google Cloud",
					o, "let "+id+" do no more than its objects need", "spec", "googleServiceAccount")
				c.relation(operatorOf("gcp"), name.Cloud("gcp", id), "CLOUD_ROLE", 1, "acts as the service account of Google Cloud", o, "let "+id+" do no more than its objects need", "spec", "googleServiceAccount")
			}
			if secret := o.Root.Get("spec", "credentialSecretName").Text(); secret != "" {
				c.relation(name.Secret("cnrm-system", secret), operatorOf("gcp"), "CLOUD_KEYS", 1, "holds the credentials of Config Connector", o, "let it log in by workload identity, and delete the key", "spec", "credentialSecretName")
			}
		}
	}
}
