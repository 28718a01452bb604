package exposure

import (
	"strings"

	"bulwark"
	"bulwark/check/internal/listener"
	"bulwark/kube"
)

// sensitive says what a port of a Service leads to, by the programs behind it, else by its
// number; and whose container that is.
func sensitive(p *servicePort, behind []*kube.Workload) (l listener.Listener, by string, ok bool) {
	for _, w := range behind {
		for i := range w.Containers {
			c := &w.Containers[i]
			if c.Init && !c.Sidecar() || !mayListen(c, p) {
				continue
			}
			if l, ok := listener.Of(c, targetOf(c, p)); ok {
				return l, " in " + w.ID(), true
			}
		}
	}
	if len(behind) > 0 {
		by = " in " + behind[0].ID()
	}
	if l, ok := listener.ByPort[p.number]; ok {
		return l, by, true
	}
	if l, ok := listener.ByPort[p.target]; ok {
		return l, by, true
	}
	return listener.Listener{}, "", false
}

// mayListen tells whether a container is the one that a Service's port leads to: of several
// the one that declares it.
func mayListen(c *kube.Container, p *servicePort) bool {
	if len(c.Ports) == 0 {
		return true
	}
	for _, port := range c.Ports {
		if int(port.ContainerPort) == p.target || p.name != "" && port.Name == p.name {
			return true
		}
	}
	return false
}

// targetOf is the number of the port in the container.
func targetOf(c *kube.Container, p *servicePort) int {
	for _, port := range c.Ports {
		if p.name != "" && port.Name == p.name {
			return int(port.ContainerPort)
		}
	}
	return p.target
}

// lower is one step less severe.
func lower(s bulwark.Severity) bulwark.Severity {
	if s > low {
		return s - 1
	}
	return s
}

// internalOnly tells whether a load balancer says that it is for the inside.
func internalOnly(o *kube.Object) bool {
	for name, value := range o.Annotations {
		v := strings.ToLower(value)
		switch name {
		case "service.beta.kubernetes.io/aws-load-balancer-internal", "service.beta.kubernetes.io/azure-load-balancer-internal", "service.beta.kubernetes.io/openstack-internal-load-balancer":
			if v != "false" && v != "" {
				return true
			}
		case "service.beta.kubernetes.io/aws-load-balancer-scheme", "alb.ingress.kubernetes.io/scheme", "networking.gke.io/load-balancer-type", "cloud.google.com/load-balancer-type":
			if v == "internal" {
				return true
			}
		case "service.beta.kubernetes.io/oci-load-balancer-internal", "service.kubernetes.io/ibm-load-balancer-cloud-provider-ip-type", "service.beta.kubernetes.io/alibaba-cloud-loadbalancer-address-type":
			if v == "true" || v == "private" || v == "intranet" {
				return true
			}
		}
	}
	return false
}
