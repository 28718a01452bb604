package cluster

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"

	"bulwark"
)

const (
	asJSON     = "application/json"
	aggregated = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList,application/json;g=apidiscovery.k8s.io;v=v2beta1;as=APIGroupDiscoveryList,application/json"
	mostGroups = 1000 // of which is asked what they have, one by one
	mostOfOne  = 300  // resources of one group that are listed
)

// resource is one that the server has, in the version that it prefers.
type resource struct {
	group, version, name string // "apps", "v1", "deployments"
	kind                 string
	namespaced           bool
}

func (r *resource) String() string { return resourceName(r.group, r.name) }

func (r *resource) apiVersion() string {
	if r.group == "" {
		return r.version
	}
	return r.group + "/" + r.version
}

// path is where the resource is listed, of all namespaces when namespace is empty.
func (r *resource) path(namespace string) string {
	base := "/apis/" + r.group + "/" + r.version
	if r.group == "" {
		base = "/api/" + r.version
	}
	if namespace != "" {
		base += "/namespaces/" + namespace
	}
	return base + "/" + r.name
}

// groupList is what the server tells of its groups: all at once, or names and versions alone
// where it is older.
type groupList struct {
	Kind  string
	Items []struct {
		Metadata struct{ Name string }
		Versions []struct {
			Version   string
			Freshness string
			Resources []struct {
				Resource     string
				ResponseKind struct{ Kind string }
				Scope        string
				Verbs        []string
			}
		}
	}
	Versions []string // of /api
	Groups   []struct {
		Name     string
		Versions []struct{ Version string }
	}
}

// had is what a server says that it has.
type had struct {
	resources []resource // each once, in the first version that has it
	known     map[string]bool
	stale     []string // groups with versions that it could say nothing of
	left      int      // groups that it was not asked about
}

func (h *had) add(r resource, verbs []string) {
	if name := r.String(); !h.known[name] && slices.Contains(verbs, "list") && plain(r.group, r.version, r.name) {
		h.known[name] = true
		h.resources = append(h.resources, r)
	}
}

func (h *had) old(group, version string) {
	h.stale = append(h.stale, cmp.Or(group, "core")+"/"+version)
}

// discover lists the resources that the server has and that can be listed. A part of it that
// cannot be asked is told beside what could.
func (c *client) discover(ctx context.Context) (*had, error) {
	h := &had{known: map[string]bool{}}
	for _, root := range []string{"/api", "/apis"} {
		var g groupList
		if err := c.document(ctx, root, aggregated, &g); err != nil {
			return nil, fmt.Errorf("asking what the API server has: %w", err)
		}
		if g.Kind == "APIGroupDiscoveryList" {
			g.resources(h)
			continue
		}
		if err := c.oneByOne(ctx, &g, h); err != nil {
			return nil, err
		}
	}
	return h, nil
}

func (g *groupList) resources(h *had) {
	for i := range g.Items {
		group := g.Items[i].Metadata.Name
		for _, v := range g.Items[i].Versions {
			if v.Freshness == "Stale" {
				h.old(group, v.Version)
			}
			for _, r := range v.Resources {
				h.add(resource{group, v.Version, r.Resource, r.ResponseKind.Kind, r.Scope == "Namespaced"}, r.Verbs)
			}
		}
	}
}

// plain tells whether names of the server can stand in a path.
func plain(names ...string) bool {
	for _, n := range names {
		if strings.Trim(n, "abcdefghijklmnopqrstuvwxyz0123456789.-") != "" || strings.Contains(n, "..") {
			return false
		}
	}
	return true
}

// groupVersion is one version of a group.
type groupVersion struct{ group, version string }

// versions are those of all groups, each once, those that checks know first.
func (g *groupList) versions() (list []groupVersion) {
	for _, v := range g.Versions {
		list = append(list, groupVersion{"", v})
	}
	for _, group := range g.Groups {
		for _, v := range group.Versions {
			list = append(list, groupVersion{group.Name, v.Version})
		}
	}
	slices.SortStableFunc(list, func(a, b groupVersion) int {
		switch known := isWanted(a.group); {
		case known == isWanted(b.group):
			return 0
		case known:
			return -1
		}
		return 1
	})
	seen := map[groupVersion]bool{}
	return slices.DeleteFunc(list, func(v groupVersion) bool {
		again := seen[v]
		seen[v] = true
		return again || !plain(v.group, v.version)
	})
}

// oneByOne asks for the resources of each version of each group.
func (c *client) oneByOne(ctx context.Context, g *groupList, h *had) error {
	all := g.versions()
	h.left += max(0, len(all)-mostGroups)
	for _, v := range all[:min(len(all), mostGroups)] {
		err := c.version(ctx, v.group, v.version, h)
		if err != nil && (ctx.Err() != nil || codeOf(err) == http.StatusUnauthorized) {
			return err
		}
		if err != nil {
			h.old(v.group, v.version)
		}
	}
	return nil
}

func (c *client) version(ctx context.Context, group, version string, h *had) error {
	at := resource{group: group, version: version}
	var answer struct {
		Resources []struct {
			Name, Kind string
			Namespaced bool
			Verbs      []string
		}
	}
	if err := c.document(ctx, strings.TrimSuffix(at.path(""), "/"), asJSON, &answer); err != nil {
		return err
	}
	for _, r := range answer.Resources {
		h.add(resource{group, version, r.Name, r.Kind, r.Namespaced}, r.Verbs)
	}
	return nil
}

// serverVersion is what the server says that it is; "" when it does not tell.
func (c *client) serverVersion(ctx context.Context) (string, error) {
	var v struct{ GitVersion string }
	err := c.document(ctx, "/version", asJSON, &v)
	if codeOf(err) == http.StatusForbidden || errors.Is(err, bulwark.ErrNotFound) {
		return "", nil
	}
	return oneLine(v.GitVersion), err
}
