// Package paths holds the relaters to a cluster with a known answer for every edge: each
// folder of testdata has objects of which an attack is possible (pass.yaml) and a twin of
// which it is not (fail.yaml).
package paths

import (
	"bytes"
	"cmp"
	"context"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"bulwark"
	"bulwark/all"
	"bulwark/graph"
	"bulwark/kube"
	"bulwark/scan"
	"bulwark/source/manifest"
)

// relations are those that a target makes, with what removes them.
type relations struct {
	list     []bulwark.Relation
	remedies map[string]bulwark.Remedy
	findings map[string]bool
	graph    *graph.Graph
}

func (r *relations) Relation(one bulwark.Relation) {
	r.list = append(r.list, one)
	r.graph.Relation(one)
}

func (r *relations) Remedy(one bulwark.Remedy) {
	r.remedies[one.ID] = one
	r.graph.Remedy(one)
}

func (r *relations) Note(bulwark.Note) {}

// relate scans a file or folder of manifests with all checks and relaters. version makes it
// the objects of a cluster of that version; "" leaves them manifests.
func relate(t *testing.T, target, version string) *relations {
	t.Helper()
	r := &relations{remedies: map[string]bulwark.Remedy{}, findings: map[string]bool{}, graph: graph.New()}
	s := scan.Scanner{Checks: all.Checks(all.Options{Now: time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)}), Relaters: all.Relaters(), Relations: r}
	var report bulwark.Report
	open := func(ctx context.Context) (*bulwark.Target, error) {
		t, err := (&manifest.Source{}).Open(ctx, target)
		if err == nil && version != "" {
			kube.Of(t).Cluster = &kube.Cluster{Name: "test", Version: version}
		}
		return t, err
	}
	if _, err := s.Scan(t.Context(), []scan.Job{{Ref: target, Open: open}}, &report); err != nil {
		t.Fatalf("%s: %v", target, err)
	}
	for i := range report.Findings {
		r.findings[report.Findings[i].Key] = true
	}
	return r
}

// wanted is a line "# want: TYPE FROM -> TO", or "# never: TYPE" with the rest or without.
type wanted struct {
	never          bool
	edge, from, to string
}

func (w wanted) String() string { return strings.TrimSpace(w.edge + " " + w.from + " -> " + w.to) }

// met tells whether a relation is that. An asterisk in a test stands for any text; groups are
// passed through.
func (w wanted) met(r *relations) bool {
	edge, from, to := glob(w.edge), glob(cmp.Or(w.from, "*")), glob(cmp.Or(w.to, "*"))
	return slices.ContainsFunc(r.list, func(one bulwark.Relation) bool {
		return edge.MatchString(one.Type) && r.has(from, one.From) && r.leads(one.To, to, 6)
	})
}

// glob is a pattern of which asterisks stand for any text, and [*] for one.
func glob(pattern string) *regexp.Regexp {
	return regexp.MustCompile("^" + strings.NewReplacer(`\[\*\]`, `\*`, `\*`, ".*").Replace(regexp.QuoteMeta(pattern)) + "$")
}

// has tells whether a vertex is one that is asked for, a permission that such a one has, or
// what its containers send as.
func (r *relations) has(like *regexp.Regexp, at bulwark.VertexID) bool {
	if like.MatchString(string(at)) {
		return true
	}
	switch kind, name, _ := strings.Cut(string(at), ":"); {
	case kind == "permission":
		return r.by("PERMISSION_DISCOVER", like, at)
	case strings.HasPrefix(name, "network of "):
		return r.by("POD_NETWORK", like, at)
	}
	return false
}

// by tells whether what is asked for leads to a vertex by relations of a type.
func (r *relations) by(edge string, like *regexp.Regexp, at bulwark.VertexID) bool {
	return slices.ContainsFunc(r.list, func(one bulwark.Relation) bool {
		return one.To == at && one.Type == edge && (like.MatchString(string(one.From)) || edge == "POD_NETWORK" && r.by("CONTAINER_ATTACH", like, one.From))
	})
}

// leads tells whether a vertex is one that is asked for, or a group with such a one.
func (r *relations) leads(at bulwark.VertexID, like *regexp.Regexp, depth int) bool {
	if like.MatchString(string(at)) {
		return true
	}
	if !strings.HasPrefix(string(at), "group:") || depth == 0 {
		return false
	}
	return slices.ContainsFunc(r.list, func(one bulwark.Relation) bool { return one.From == at && r.leads(one.To, like, depth-1) })
}

func wants(t *testing.T, file string) (list []wanted, version string) {
	t.Helper()
	b, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(b)) {
		line = strings.TrimSpace(line)
		if v, ok := strings.CutPrefix(line, "# cluster: "); ok {
			version = v
		}
		rest, ok := strings.CutPrefix(line, "# want: ")
		never := false
		if !ok {
			if rest, never = strings.CutPrefix(line, "# never: "); !never {
				continue
			}
		}
		edge, ends, _ := strings.Cut(rest, " ")
		from, to, _ := strings.Cut(ends, " -> ")
		list = append(list, wanted{never, edge, from, to})
	}
	if len(list) == 0 {
		t.Fatalf("%s says not what is to be related", file)
	}
	return list, version
}

// TestEdges holds that every edge is drawn where it is possible and not where it is not.
func TestEdges(t *testing.T) {
	files, err := filepath.Glob("testdata/*/*.yaml")
	if err != nil || len(files) < 70 {
		t.Fatalf("%d files: %v", len(files), err)
	}
	for _, file := range files {
		t.Run(filepath.ToSlash(strings.TrimPrefix(file, "testdata/")), func(t *testing.T) {
			t.Parallel()
			list, version := wants(t, file)
			r := relate(t, assembled(t, file), version)
			for _, w := range list {
				if w.met(r) == w.never {
					t.Errorf("%s: never is %t, of\n%s", w, w.never, r.tell(w.edge))
				}
			}
			r.sound(t)
		})
	}
}

// known are the edges of KubeHound, and those that IceKube has besides, with ours where they
// are called otherwise.
var known = map[string]string{
	"CE_MODULE_LOAD": "", "CE_NSENTER": "", "CE_PRIV_MOUNT": "", "CE_SYS_PTRACE": "", "CE_UMH_CORE_PATTERN": "", "CE_VAR_LOG_SYMLINK": "", "CONTAINER_ATTACH": "", "ENDPOINT_EXPLOIT": "",
	"EXPLOIT_CONTAINERD_SOCK": "", "EXPLOIT_HOST_READ": "", "EXPLOIT_HOST_TRAVERSE": "", "EXPLOIT_HOST_WRITE": "", "IDENTITY_ASSUME": "", "IDENTITY_IMPERSONATE": "", "PERMISSION_DISCOVER": "",
	"POD_ATTACH": "", "POD_CREATE": "", "POD_EXEC": "", "POD_PATCH": "", "ROLE_BIND": "", "SHARE_PS_NAMESPACE": "", "TOKEN_BRUTEFORCE": "", "TOKEN_LIST": "", "TOKEN_STEAL": "", "VOLUME_ACCESS": "", "VOLUME_DISCOVER": "",

	"BOUND_TO": "PERMISSION_DISCOVER", "GRANTS_PERMISSION": "PERMISSION_DISCOVER", "USES_ACCOUNT": "IDENTITY_ASSUME", "MOUNTS_SECRET": "VOLUME_DISCOVER", "EXEC_INTO": "POD_EXEC",
	"GET_AUTHENTICATION_TOKEN_FOR": "TOKEN_STEAL", "CAN_IMPERSONATE": "IDENTITY_IMPERSONATE", "IS_PRIVILEGED": "CE_PRIV_MOUNT", "CAN_LOAD_KERNEL_MODULES": "CE_MODULE_LOAD",
	"CAN_ACCESS_DANGEROUS_HOST_PATH": "EXPLOIT_HOST_WRITE", "ACCESS_POD": "POD_ATTACH",
	"CREATE_POD_WITH_SA": "", "CREATE_PRIVILEGED_WORKLOAD": "", "PATCH_NAMESPACE_TO_BYPASS_PSA": "", "UPDATE_WORKLOAD_WITH_SA": "", "REPLACE_IMAGE": "", "DEBUG_POD": "", "ACCESS_SECRET": "", "GENERATE_TOKEN": "",
	"CREATE_SECRET_WITH_TOKEN": "", "RBAC_ESCALATE_TO": "", "GENERATE_CLIENT_CERTIFICATE": "", "CAN_CGROUP_BREAKOUT": "", "CAN_NSENTER_HOST": "", "CAN_ACCESS_HOST_FD": "", "CAN_EXEC_THROUGH_KUBELET": "",
	"UPDATE_AWS_AUTH": "", "AZURE_POD_IDENTITY_EXCEPTION": "", "IS_CLUSTER_ADMIN": "",
}

// TestKnown holds that every known edge has a folder with both.
func TestKnown(t *testing.T) {
	for edge, ours := range known {
		for _, file := range []string{"pass.yaml", "fail.yaml"} {
			list, _ := wants(t, filepath.Join("testdata", cmp.Or(ours, edge), file))
			if !slices.ContainsFunc(list, func(w wanted) bool { return w.edge == cmp.Or(ours, edge) && w.never == (file == "fail.yaml") }) {
				t.Errorf("%s: %s says nothing of it", edge, file)
			}
		}
	}
}

// assembled is the file with a password where it asks for one, which is so in no file that is
// kept.
func assembled(t *testing.T, file string) string {
	t.Helper()
	b, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	made := filepath.Join(t.TempDir(), "objects.yaml")
	if err := os.WriteFile(made, bytes.ReplaceAll(b, []byte("(PASSWORD)"), []byte("correct"+"-horse")), 0o600); err != nil {
		t.Fatal(err)
	}
	return made
}

// sound holds what is true of all relations: their likelihood is one, every reason is a
// finding, every remedy is known.
func (r *relations) sound(t *testing.T) {
	t.Helper()
	for _, one := range r.list {
		if one.Likelihood < 0 || one.Likelihood > 1 || one.Text == "" || one.Type == "" {
			t.Errorf("%s %s -> %s: likelihood %v, text %q", one.Type, one.From, one.To, one.Likelihood, one.Text)
		}
		for _, key := range one.Because {
			if !r.findings[key] {
				t.Errorf("%s %s -> %s: no finding %s", one.Type, one.From, one.To, key)
			}
		}
		for _, id := range one.Remedies {
			if r.remedies[id].Text == "" {
				t.Errorf("%s %s -> %s: no remedy %q", one.Type, one.From, one.To, id)
			}
		}
	}
}

// tell writes the relations of a type, all of them where there is none.
func (r *relations) tell(edge string) string {
	var of, others strings.Builder
	for _, one := range r.list {
		b := &others
		if one.Type == edge {
			b = &of
		}
		b.WriteString("  " + one.Type + " " + string(one.From) + " -> " + string(one.To) + "\n")
	}
	if of.Len() > 0 {
		return of.String()
	}
	return others.String()
}
