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
	mostGroups = 2000
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

// discover lists the resources that the server has and that can be listed. A part of it that
// cannot be asked is an error beside what could.
func (c *client) discover(ctx context.Context) (list []resource, stale []string, err error) {
	for _, root := range []string{"/api", "/apis"} {
		var g groupList
		if err := c.document(ctx, root, aggregated, &g); err != nil {
			return nil, nil, fmt.Errorf("asking what the API server has: %w", err)
		}
		if g.Kind == "APIGroupDiscoveryList" {
			found, old := g.resources()
			list, stale = append(list, found...), append(stale, old...)
			continue
		}
		found, old, err := c.oneByOne(ctx, &g)
		if err != nil {
			return nil, nil, err
		}
		list, stale = append(list, found...), append(stale, old...)
	}
	return list, stale, nil
}

// resources takes each resource once, in the first version that has it.
func (g *groupList) resources() (list []resource, stale []string) {
	for i := range g.Items[:min(len(g.Items), mostGroups)] {
		item := &g.Items[i]
		known := map[string]bool{}
		for _, v := range item.Versions {
			if v.Freshness == "Stale" {
				stale = append(stale, resourceName(item.Metadata.Name, v.Version))
			}
			for _, r := range v.Resources {
				if known[r.Resource] || !slices.Contains(r.Verbs, "list") || !plain(item.Metadata.Name, v.Version, r.Resource) {
					continue
				}
				known[r.Resource] = true
				list = append(list, resource{item.Metadata.Name, v.Version, r.Resource, r.ResponseKind.Kind, r.Scope == "Namespaced"})
			}
		}
	}
	return list, stale
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

// oneByOne asks for the resources of each version of each group that checks need.
func (c *client) oneByOne(ctx context.Context, g *groupList) (list []resource, stale []string, err error) {
	type version struct{ group, version string }
	var versions []version
	for _, v := range g.Versions {
		versions = append(versions, version{"", v})
	}
	for _, group := range g.Groups[:min(len(g.Groups), mostGroups)] {
		for _, v := range group.Versions {
			versions = append(versions, version{group.Name, v.Version})
		}
	}
	known := map[string]bool{}
	for _, v := range versions {
		if !plain(v.group, v.version) {
			continue
		}
		found, err := c.version(ctx, v.group, v.version)
		if err != nil && (ctx.Err() != nil || codeOf(err) == http.StatusUnauthorized) {
			return nil, nil, err
		}
		if err != nil {
			stale = append(stale, cmp.Or(v.group, "core")+"/"+v.version)
		}
		for _, r := range found {
			if !known[r.String()] {
				known[r.String()] = true
				list = append(list, r)
			}
		}
	}
	return list, stale, nil
}

func (c *client) version(ctx context.Context, group, version string) ([]resource, error) {
	at := resource{group: group, version: version}
	var answer struct {
		Resources []struct {
			Name, Kind string
			Namespaced bool
			Verbs      []string
		}
	}
	if err := c.document(ctx, strings.TrimSuffix(at.path(""), "/"), asJSON, &answer); err != nil {
		return nil, err
	}
	var list []resource
	for _, r := range answer.Resources {
		if slices.Contains(r.Verbs, "list") && plain(r.Name) {
			list = append(list, resource{group, version, r.Name, r.Kind, r.Namespaced})
		}
	}
	return list, nil
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
