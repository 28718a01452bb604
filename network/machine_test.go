package network_test

import (
	"strings"
	"testing"

	"bulwark/network"

	"github.com/google/go-cmp/cmp"
)

// lines are the connections inside of a cluster, without those of addresses.
func lines(e *network.Engine) string {
	var b strings.Builder
	for c := range e.All() {
		if !strings.Contains(c.String(), "[External]") {
			b.WriteString(c.String() + "\n")
		}
	}
	return b.String()
}

// Virtual machines are pods with the labels of the machine, and are there once: as the machine
// that a manifest declares, or as the pod that a cluster has of it.
func TestVirtualMachines(t *testing.T) {
	machine := `{"apiVersion":"kubevirt.io/v1","kind":"VirtualMachine","metadata":{"name":"vm"},"spec":{"template":{"metadata":{"labels":{"app":"vm"}},"spec":{"domain":{}}}}}`
	instance := `{"apiVersion":"kubevirt.io/v1","kind":"VirtualMachineInstance","metadata":{"name":"vm","namespace":"default","labels":{"app":"vm"}},"spec":{"domain":{}}}`
	pod := `{"apiVersion":"v1","kind":"Pod","metadata":{"name":"virt-launcher-vm-x7","namespace":"default","labels":{"app":"vm","kubevirt.io":"virt-launcher"},
		"ownerReferences":[{"kind":"VirtualMachineInstance","name":"vm","uid":"gone","controller":true}]},"spec":{"containers":[{"name":"compute","image":"x"}]}}`
	others := []string{
		`{"apiVersion":"v1","kind":"Pod","metadata":{"name":"a"},"spec":{"containers":[{"name":"c","image":"x"}]}}`,
		`{"apiVersion":"networking.k8s.io/v1","kind":"NetworkPolicy","metadata":{"name":"p"},"spec":{"podSelector":{"matchLabels":{"app":"vm","kubevirt.io":"virt-launcher"}},
			"ingress":[{"from":[{"podSelector":{}}],"ports":[{"port":22}]}]}}`,
	}
	for _, tt := range []struct {
		name    string
		objects []string
		want    string
	}{
		{"declared", []string{machine}, "default/a[Pod] => default/vm[VirtualMachine] : TCP 22\ndefault/vm[VirtualMachine] => default/a[Pod] : All Connections\n"},
		{"declared, and running", []string{machine, instance}, "default/a[Pod] => default/vm[VirtualMachine] : TCP 22\ndefault/vm[VirtualMachine] => default/a[Pod] : All Connections\n"},
		{"with its pod", []string{machine, instance, pod}, "default/a[Pod] => default/vm[VirtualMachineInstance] : TCP 22\ndefault/vm[VirtualMachineInstance] => default/a[Pod] : All Connections\n"},
	} {
		if diff := cmp.Diff(tt.want, lines(network.New(textsOf(t, append(tt.objects, others...)...)))); diff != "" {
			t.Errorf("%s (-want +got):\n%s", tt.name, diff)
		}
	}
}

// What stands at the edge hands on TCP, unless it is named for UDP, and finds its Services when
// neither names a namespace.
func TestFrontsSpeakTCP(t *testing.T) {
	web := []string{
		`{"apiVersion":"apps/v1","kind":"Deployment","metadata":{"name":"web"},"spec":{"template":{"metadata":{"labels":{"app":"web"}},"spec":{"containers":[{"name":"c","image":"x"}]}}}}`,
		`{"apiVersion":"v1","kind":"Service","metadata":{"name":"web"},"spec":{"selector":{"app":"web"},"ports":[{"name":"t","port":53,"targetPort":8053},{"name":"u","port":53,"targetPort":8054,"protocol":"UDP"}]}}`,
	}
	for front, want := range map[string]string{
		`{"apiVersion":"route.openshift.io/v1","kind":"Route","metadata":{"name":"r"},"spec":{"to":{"kind":"Service","name":"web"}}}`:                                                                             "TCP 8053",
		`{"apiVersion":"networking.k8s.io/v1","kind":"Ingress","metadata":{"name":"i"},"spec":{"defaultBackend":{"service":{"name":"web","port":{"number":53}}}}}`:                                                "TCP 8053",
		`{"apiVersion":"traefik.io/v1alpha1","kind":"IngressRouteUDP","metadata":{"name":"i"},"spec":{"routes":[{"services":[{"name":"web","port":53}]}]}}`:                                                       "UDP 8054",
		`{"apiVersion":"networking.k8s.io/v1","kind":"Ingress","metadata":{"name":"i"},"spec":{"rules":[{"http":{"paths":[{"path":"/","backend":{"service":{"name":"web","port":{"name":"u"}}}}]}}]}}`:            "",
		`{"apiVersion":"networking.k8s.io/v1","kind":"Ingress","metadata":{"name":"i"},"spec":{"rules":[{"http":{"paths":[{"path":"/","backend":{"resource":{"kind":"Bucket","name":"b"}}}]}},{"host":"none"}]}}`: "",
	} {
		if want != "" {
			want = "{ingress-controller} => default/web[Deployment] : " + want + "\n"
		}
		if diff := cmp.Diff(want, lines(network.New(textsOf(t, append(web, front)...)))); diff != "" {
			t.Errorf("%s (-want +got):\n%s", front, diff)
		}
	}
}
