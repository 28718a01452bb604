package cli

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"strings"

	"github.com/spf13/pflag"

	"bulwark"
	"bulwark/check/secrets"
	"bulwark/kube"
	"bulwark/scan"
	"bulwark/source/cluster"
)

// clusterOptions are the flags that say which cluster is read, and what of it.
type clusterOptions struct {
	kubeconfig    string
	context       string
	namespaces    []string
	readSecrets   bool
	kubeletConfig bool
	images        bool
}

// add adds the flags of commands that read clusters.
func (o *clusterOptions) add(f *pflag.FlagSet) {
	f.StringVar(&o.kubeconfig, "kubeconfig", "", "`FILE` that says how to reach clusters (default: KUBECONFIG, or .kube/config of the home folder)")
	f.StringVar(&o.context, "context", "", "`NAME` of the cluster's context in the kubeconfig (default: the current one)")
	f.StringSliceVar(&o.namespaces, "namespaces", nil, "`NAMES` of the cluster's namespaces to look at (default: all)")
	f.BoolVar(&o.readSecrets, "read-secrets", false, "read values of the cluster's Secrets, to compare them and to look at certificates; no value is kept or shown")
	f.BoolVar(&o.kubeletConfig, "kubelet-config", false, "ask the cluster's nodes for the settings of their kubelets (needs the right to nodes/proxy)")
}

// addImages adds the flag of commands that scan.
func (o *clusterOptions) addImages(f *pflag.FlagSet) {
	f.BoolVar(&o.images, "images", false, "also scan the images that run in the cluster, each once")
}

// clusters is the source of live clusters.
func (a *app) clusters() *cluster.Source {
	now, _ := a.clock() // checked when flags are settled
	return &cluster.Source{Options: cluster.Options{
		Kubeconfig: a.cluster.kubeconfig, Context: a.cluster.context, Namespaces: a.cluster.namespaces,
		ReadSecrets: a.cluster.readSecrets, KubeletConfig: a.cluster.kubeletConfig, Secret: secrets.Holds, Now: now,
	}}
}

// isCluster tells whether a reference names a cluster or a snapshot of one.
func isCluster(ref string) bool {
	kind, _ := prefixed(ref)
	return ref == "cluster" || kind == "cluster" || kind == "snapshot"
}

// withImages puts behind each job of a cluster one for every image that runs in it. The
// clusters are read for that, and handed on as they are.
func (a *app) withImages(ctx context.Context, jobs []scan.Job) []scan.Job {
	if !a.cluster.images {
		return jobs
	}
	var list []scan.Job
	known := map[string]bool{}
	for _, job := range jobs {
		if !isCluster(job.Ref) {
			list = append(list, job)
			continue
		}
		t, err := a.within(ctx, job)
		list = append(list, scan.Job{Ref: job.Ref, Open: func(context.Context) (*bulwark.Target, error) { return t, err }})
		if err != nil {
			continue
		}
		for _, im := range kube.Images(kube.Of(t)) {
			if !known[im.Ref] {
				known[im.Ref] = true
				list = append(list, a.imageJob(t.Asset.ID, im))
			}
		}
	}
	return list
}

// within opens a job's target in the time that one is given.
func (a *app) within(ctx context.Context, job scan.Job) (*bulwark.Target, error) {
	if a.timeout > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeoutCause(ctx, a.timeout, fmt.Errorf("not done within %s: %w", a.timeout, bulwark.ErrUnavailable))
		defer cancel()
	}
	return job.Open(ctx)
}

// imageJob scans an image that runs in a cluster. That it cannot be had is a note about it.
func (a *app) imageJob(of bulwark.AssetID, im kube.Image) scan.Job {
	return scan.Job{Ref: im.Ref, Open: func(ctx context.Context) (*bulwark.Target, error) {
		t, err := a.runningImage(ctx, im.Ref)
		if err != nil {
			asset := bulwark.Asset{ID: bulwark.AssetID("image:" + im.Ref), Kind: "image", Name: im.Name}
			note := bulwark.Note{Plugin: "source/cluster", Text: fmt.Sprintf("the image %s could not be looked at: %v", im.Name, err), Incomplete: true}
			t = &bulwark.Target{Asset: asset, Inventory: &bulwark.Inventory{}, Notes: []bulwark.Note{note}}
		}
		t.Asset.Name, t.Asset.Parent = cmp.Or(im.Name, t.Asset.Name), of
		t.Asset.Labels = maps.Clone(t.Asset.Labels)
		if t.Asset.Labels == nil {
			t.Asset.Labels = map[string]string{}
		}
		t.Asset.Labels["workloads"] = workloadsLabel(im.Workloads)
		return t, nil
	}}
}

// workloadsLabel names what runs an image.
func workloadsLabel(ids []string) string {
	const most = 50
	if len(ids) > most {
		return strings.Join(ids[:most], " ") + fmt.Sprintf(" and %d more", len(ids)-most)
	}
	return strings.Join(ids, " ")
}

// runningImage opens an image of a registry that a cluster names.
func (a *app) runningImage(ctx context.Context, ref string) (*bulwark.Target, error) {
	if a.offline {
		return nil, errOffline
	}
	return a.asked(ref).Open(ctx, ref)
}
