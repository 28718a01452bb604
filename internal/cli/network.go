package cli

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"bulwark"
	"bulwark/kube"
	"bulwark/network"
)

// reach are the flags of the network commands.
type reach struct {
	*app
	format     string
	namespaces []string
	focus      []string
	ipv6       bool
	all        bool
	more       []string // resources of a cluster to read beside onlyNetwork
}

func (a *app) networkCommand() *cobra.Command {
	c := &cobra.Command{
		Use: "network", Short: "Who can talk to whom, by which policy, and what is open to the outside",
		Long: "Network answers from workloads and policies who can talk to whom: what a policy allows counts, not what is in use.\n" +
			"Docs: docs/network.md.",
		Example: "  bulwark network list deploy/\n  bulwark network list cluster -f html -o map.html\n  bulwark network explain deploy/ --from shop/web --to db/pg --port 5432\n" +
			"  bulwark network exposed cluster\n  bulwark network diff snapshot:monday.snap cluster\n  bulwark network check deploy/ --allow flows.yaml --fail-on medium",
	}
	c.AddCommand(a.networkGenerateCommand(), a.networkListCommand(), a.networkExplainCommand(), a.networkExposedCommand(), a.networkDiffCommand(), a.networkCheckCommand())
	return c
}

const networkTargets = "\n\nTARGET is a file or folder of manifests (charts are rendered, overlays built), cluster, cluster:CONTEXT, snapshot:FILE,\nor - for manifests on standard input."

// flags adds what all network commands have that answer by themselves.
func (r *reach) flags(c *cobra.Command, formats ...string) {
	f := c.Flags()
	r.format = formats[0]
	f.StringVarP(&r.format, "format", "f", formats[0], "one of `FORMAT`: "+strings.Join(formats, " "))
	f.Lookup("format").Annotations = map[string][]string{formatWords: formats}
	f.StringVarP(&r.output, "output", "o", "", "write to `FILE` instead of stdout")
	r.targetFlags(f)
	settle := c.PreRunE
	c.PreRunE = func(c *cobra.Command, args []string) error {
		if err := settle(c, args); err != nil {
			return err
		}
		for _, known := range formats {
			if r.format == known {
				return nil
			}
		}
		return usage("%s has no format %q; it has %s", c.CommandPath(), r.format, strings.Join(formats, " "))
	}
}

func (r *reach) targetFlags(f *pflag.FlagSet) {
	f.StringVar(&r.cluster.kubeconfig, "kubeconfig", "", "`FILE` that says how to reach clusters (default: KUBECONFIG, or .kube/config of the home folder)")
	f.StringVar(&r.cluster.context, "context", "", "`NAME` of the cluster's context in the kubeconfig (default: the current one)")
	f.StringArrayVar(&r.exclude, "exclude", nil, "`GLOB` of paths not to read (repeatable)")
	f.BoolVar(&r.offline, "offline", false, "no network at all")
	r.chartFlags(f)
	r.common(f)
}

// onlyNetwork is what of a cluster is read.
var onlyNetwork = []string{
	"namespaces", "nodes", "pods", "services", "replicationcontrollers", "deployments.apps", "replicasets.apps", "statefulsets.apps", "daemonsets.apps",
	"jobs.batch", "cronjobs.batch", "endpoints", "endpointslices.discovery.k8s.io", "ingresses.networking.k8s.io", "ingressclasses.networking.k8s.io",
	"networkpolicies.networking.k8s.io", "adminnetworkpolicies.policy.networking.k8s.io", "baselineadminnetworkpolicies.policy.networking.k8s.io",
	"clusternetworkpolicies.policy.networking.k8s.io", "ciliumnetworkpolicies.cilium.io", "ciliumclusterwidenetworkpolicies.cilium.io", "ciliumcidrgroups.cilium.io",
	"networkpolicies.crd.projectcalico.org", "globalnetworkpolicies.crd.projectcalico.org", "networksets.crd.projectcalico.org", "globalnetworksets.crd.projectcalico.org", "tiers.crd.projectcalico.org",
	"networkpolicies.projectcalico.org", "globalnetworkpolicies.projectcalico.org", "networksets.projectcalico.org", "globalnetworksets.projectcalico.org", "tiers.projectcalico.org",
	"authorizationpolicies.security.istio.io", "peerauthentications.security.istio.io", "sidecars.networking.istio.io", "gateways.networking.istio.io", "virtualservices.networking.istio.io",
	"routes.route.openshift.io", "gateways.gateway.networking.k8s.io", "gatewayclasses.gateway.networking.k8s.io", "httproutes.gateway.networking.k8s.io", "grpcroutes.gateway.networking.k8s.io",
	"tcproutes.gateway.networking.k8s.io", "tlsroutes.gateway.networking.k8s.io", "udproutes.gateway.networking.k8s.io", "referencegrants.gateway.networking.k8s.io",
	"virtualmachines.kubevirt.io", "virtualmachineinstances.kubevirt.io", "ingressroutes.traefik.io", "ingressroutetcps.traefik.io", "ingressrouteudps.traefik.io", "httpproxies.projectcontour.io", "rollouts.argoproj.io",
}

// engine reads a target and tells on stderr what the answer depends on.
func (r *reach) engine(ctx context.Context, target string) (*network.Engine, *kube.Set, error) {
	end := r.stage("reading " + target)
	s, err := r.open(ctx, target)
	if end(); err != nil {
		return nil, nil, err
	}
	end = r.stage("asking policies who can talk to whom")
	e := network.Of(s)
	end()
	r.told(problems(e, s))
	if len(e.Endpoints) < 2 {
		r.note("%s: there are no workloads, so nobody can talk to anybody", target)
	}
	return e, s, nil
}

// mostTold is how many problems are told without --verbose.
const mostTold = 500

func (r *reach) told(problems []string) {
	for i, text := range problems {
		if i == mostTold && !r.verbose {
			r.note("%d more are not told without --verbose", len(problems)-mostTold)
			return
		}
		r.note("%s", text)
	}
}

// problems are what the answer lacks, each with file and line.
func problems(e *network.Engine, s *kube.Set) []string {
	var list []string
	for _, b := range s.Broken {
		list = append(list, fmt.Sprintf("%s: %v", place(kube.Location{File: b.File, Line: b.Line}), b.Err))
	}
	for _, p := range e.Problems {
		list = append(list, p.String())
	}
	return list
}

// place is a file and line as people write it.
func place(l kube.Location) string {
	if l.Line == 0 {
		return l.File
	}
	return fmt.Sprintf("%s:%d", l.File, l.Line)
}

// open reads the objects of a target.
func (r *reach) open(ctx context.Context, target string) (*kube.Set, error) {
	ctx, cancel := context.WithTimeout(ctx, r.timeout)
	defer cancel()
	kind, ref := prefixed(target)
	var source bulwark.Source
	switch {
	case target == "cluster" || kind == "cluster":
		if r.offline {
			return nil, fmt.Errorf("%s would be asked of its API server, and %w", target, errOffline)
		}
		live := r.clusters()
		live.Only = slices.Concat(onlyNetwork, r.more)
		if source = live; kind == "" {
			ref = ""
		}
	case kind == "snapshot":
		source = r.source(kind)
	case kind == "" || kind == "k8s" || kind == "dir":
		if _, err := os.Stat(ref); err != nil && ref != "-" {
			return nil, &exit{code: exitFailed, err: fmt.Errorf("%s: no such file or folder: %w", ref, bulwark.ErrNotFound), hint: "a target is cluster, cluster:CONTEXT, snapshot:FILE, or a file or folder of manifests"}
		}
		var err error
		if kind == "" && ref != "-" {
			if kind, err = r.sniff(ref); err != nil && !errors.Is(err, bulwark.ErrUnsupported) {
				return nil, err
			}
		}
		if source = r.source("k8s"); kind == "snapshot" {
			source = r.source(kind)
		}
	default:
		return nil, usage("%s: workloads and policies are read from cluster, cluster:CONTEXT, snapshot:FILE, or a file or folder of manifests", target)
	}
	t, err := source.Open(ctx, ref)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", target, err)
	}
	for _, n := range t.Notes {
		r.note("%s", strings.TrimSpace(n.Path+" "+n.Text))
	}
	return cmp.Or(kube.Of(t), &kube.Set{}), nil
}

func (r *reach) note(format string, args ...any) {
	if !r.quiet {
		fmt.Fprintf(r.err, "bulwark: note: %s\n", clean(fmt.Sprintf(format, args...)))
	}
}
