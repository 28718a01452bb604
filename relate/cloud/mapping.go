package cloud

import (
	"strings"

	"bulwark"
	"bulwark/kube"
	"bulwark/relate/internal/name"
)

// awsAuth relates identities of AWS to the users and groups that EKS takes them for.
func (c *cloud) awsAuth() {
	o := c.set.Find("kube-system/ConfigMap/aws-auth")
	if o == nil {
		return
	}
	for _, key := range [][2]string{{"mapRoles", "rolearn"}, {"mapUsers", "userarn"}} {
		for _, d := range kube.ParseYAML([]byte(o.Root.Get("data", key[0]).Text())) {
			for _, m := range d.Root.Items() {
				if arn := m.Get(key[1]).Text(); arn != "" {
					c.mapped(name.Cloud("aws", arn), m, o, key[0])
				}
			}
		}
	}
}

func (c *cloud) mapped(from bulwark.VertexID, m *kube.Node, o *kube.Object, key string) {
	identity := func(kind, called string) {
		if called == "" || strings.Contains(called, "{{") || called == "system:nodes" || called == "system:bootstrappers" {
			return // made up for each session, or of nodes
		}
		var rules []string
		if called == "system:masters" {
			rules = []string{"rbac/cloud-identity-admin"}
		}
		c.because(rules...).relation(from, name.Identity(kind, called), "CLOUD_MAPPED", impersonal, "is taken for the "+strings.ToLower(kind)+" "+called+" by aws-auth", o, "take "+string(from)+" out of "+key+" of "+o.ID(), "data", key)
	}
	identity("User", m.Get("username").Text())
	for _, g := range m.Get("groups").Strings() {
		identity("Group", g)
	}
}

// accessEntries relates identities of AWS by the objects that make access entries of EKS.
func (c *cloud) accessEntries() {
	for _, o := range c.set.Kind("eks.services.k8s.aws", "AccessEntry") {
		spec := o.Root.Get("spec")
		from := name.Cloud("aws", spec.Get("principalARN").Text())
		if spec.Get("principalARN").Text() == "" {
			continue
		}
		for i, g := range spec.Get("kubernetesGroups").Strings() {
			c.mended(kube.Drop("spec", "kubernetesGroups", i)).relation(from, name.Identity("Group", g), "CLOUD_MAPPED", impersonal, "is taken for the group "+g+" by an access entry", o, "take the group out of "+o.ID(), "spec", "kubernetesGroups")
		}
		for i, p := range spec.Get("accessPolicies").Items() {
			if strings.HasSuffix(p.Get("policyARN").Text(), "/AmazonEKSClusterAdminPolicy") && p.Get("accessScope", "type").Text() != "namespace" {
				c.mended(kube.Drop("spec", "accessPolicies", i)).relation(from, name.ClusterAdmin, "CLOUD_MAPPED", impersonal, "is cluster-admin by an access entry", o, "take AmazonEKSClusterAdminPolicy out of "+o.ID(), "spec", "accessPolicies", i)
			}
		}
	}
}
