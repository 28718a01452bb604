package cli

import (
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"

	"bulwark/network/generate"
)

// generated are the flags of network generate.
type generated struct {
	reach
	cilium, admin bool
	doors         string
}

func (a *app) networkGenerateCommand() *cobra.Command {
	g := &generated{reach: reach{app: a, more: onlyDeclared}}
	c := &cobra.Command{
		Use: "generate TARGET", Short: "Write the least policies that keep open what is declared, and say what they close",
		Long: "Generate reads what workloads declare that they talk to: Services that their settings, arguments and ConfigMaps name,\n" +
			"Ingresses and routes, load balancers, webhooks, names. It writes a policy for each workload with a comment why each\n" +
			"rule is there, as YAML for kubectl apply, and one for each namespace that shuts out what comes later. The engine of\n" +
			"network list then proves that every declared flow stays open; what is closed is told on standard error.\n\n" +
			"Read it before you apply it: what a program learns elsewhere (from a database, a Secret, by discovery) is not declared.\n" +
			"Probes need no rule: what comes from a pod's own node is let in." + networkTargets,
		Example: "  bulwark network generate deploy/ > policies.yaml\n  bulwark network generate cluster --ingress-namespace ingress-nginx -o policies.yaml\n  bulwark network generate deploy/ --cilium | kubectl apply --dry-run=server -f -",
		Args:    cobra.ExactArgs(1), PreRunE: a.settle, ValidArgsFunction: completeTarget,
		RunE: func(c *cobra.Command, args []string) error { return g.run(c, args[0]) },
	}
	f := c.Flags()
	g.flags(c, "yaml")
	f.BoolVar(&g.cilium, "cilium", false, "write CiliumNetworkPolicies, which know hosts outside by their names")
	f.BoolVar(&g.admin, "admin", false, "write AdminNetworkPolicies, which those who own a namespace cannot widen")
	f.StringVar(&g.doors, "ingress-namespace", "", "`NAME` of the namespace that ingress controllers run in (default: any)")
	return c
}

// onlyDeclared is what of a cluster tells what is declared, beside what the engine reads.
var onlyDeclared = []string{
	"configmaps", "rolebindings.rbac.authorization.k8s.io", "clusterrolebindings.rbac.authorization.k8s.io", "validatingwebhookconfigurations.admissionregistration.k8s.io",
	"mutatingwebhookconfigurations.admissionregistration.k8s.io", "apiservices.apiregistration.k8s.io",
	"servicemonitors.monitoring.coreos.com", "podmonitors.monitoring.coreos.com", "prometheuses.monitoring.coreos.com", "prometheusagents.monitoring.coreos.com", "customresourcedefinitions.apiextensions.k8s.io",
}

func (g *generated) run(c *cobra.Command, target string) error {
	form := generate.NetworkPolicies
	switch {
	case g.cilium && g.admin:
		return usage("--cilium and --admin exclude each other")
	case g.cilium:
		form = generate.Cilium
	case g.admin:
		form = generate.Admin
	}
	_, s, err := g.engine(c.Context(), target)
	if err != nil {
		return err
	}
	p := generate.New(s, g.doors)
	documents := p.Documents(form)
	proof, err := p.Prove(documents)
	if err != nil {
		return err
	}
	g.told(p, proof)
	err = g.write(func(w io.Writer) error {
		_, err := io.WriteString(w, strings.Join(documents, "---\n"))
		return err
	})
	if err == nil && len(proof.Lost) > 0 {
		return fmt.Errorf("%s: %s", target, proof)
	}
	return err
}

const mostClosed = 40 // workloads of which it is told who reaches them no more

// told says on standard error what is proved, closed and not known.
func (g *generated) told(p *generate.Plan, proof *generate.Proof) {
	for _, n := range p.Notes {
		g.note("%s", clean(n))
	}
	for _, n := range proof.Unsure {
		g.note("not told by the proof: %s", clean(n))
	}
	for _, l := range proof.Lost {
		g.note("not open: %s", clean(l))
	}
	for i, c := range proof.Closed {
		if i == mostClosed {
			g.note("closed: %d more workloads", len(proof.Closed)-i)
			break
		}
		from := strings.Join(c.From[:min(len(c.From), 4)], ", ")
		if n := len(c.From) - 4; n > 0 {
			from += fmt.Sprintf(" and %d more", n)
		}
		g.note("closed: %s from %s", clean(c.To), clean(from))
	}
	if n := len(p.Engine.Policies); n > 0 {
		g.note("the %d policies that are there already stay in force: what they let through stays open, too", n)
	}
	g.note("%s", proof)
}
