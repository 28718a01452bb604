package admission

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	admissionv1 "k8s.io/api/admissionregistration/v1"

	"bulwark"
	"bulwark/internal/limit"
	"bulwark/kube"
)

const (
	maxFile     = 4 << 20 // bytes of one file
	maxFiles    = 2000    // of one folder
	maxPolicies = 5000
)

// Load reads policies, bindings and parameters of files and of all YAML and JSON below
// folders. Folders called fail, pass, match or miss, which hold cases of policies, are left
// out. What is wrong with a policy is one of the set's problems; the error wraps ErrNotFound,
// or ErrMalformed when there is no policy at all.
func Load(paths ...string) (*Set, error) {
	l := loader{}
	for _, path := range paths {
		if err := l.path(path); err != nil {
			return nil, err
		}
	}
	return l.set(paths)
}

// Parse is Load for what is read already.
func Parse(file string, data []byte) (*Set, error) {
	l := loader{}
	l.file(file, data)
	return l.set([]string{file})
}

// loader gathers the objects of files, and compiles them when all are there.
type loader struct {
	policies []source
	bindings []source
	others   []*kube.Object
	aside    []*kube.Object // MutatingAdmissionPolicies and what binds them
	problems []Problem
}

// source is an object with the lines of its file, to find places in.
type source struct {
	*kube.Object
	lines []string
}

func (l *loader) path(path string) error {
	st, err := os.Stat(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return fmt.Errorf("policies %s: %w", path, bulwark.ErrNotFound)
	case err != nil:
		return fmt.Errorf("policies: %w", err)
	case !st.IsDir():
		return l.open(path)
	}
	files := 0
	return filepath.WalkDir(path, func(file string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.IsDir() && file != path && holdsCases(d.Name()):
			return fs.SkipDir
		case !d.Type().IsRegular() || !isDocument(file):
			return nil
		}
		if files++; files > maxFiles {
			return fmt.Errorf("policies %s: more than %d files: %w", path, maxFiles, bulwark.ErrLimit)
		}
		return l.open(file)
	})
}

func holdsCases(folder string) bool {
	return slices.Contains([]string{".git", "cases", "fail", "pass", "match", "miss"}, folder)
}

func isDocument(file string) bool {
	return slices.Contains([]string{".yaml", ".yml", ".json"}, filepath.Ext(file)) && !strings.HasSuffix(file, ".cases.yaml")
}

func (l *loader) open(file string) error {
	f, err := os.Open(file)
	if err != nil {
		return fmt.Errorf("policies: %w", err)
	}
	defer f.Close()
	data, err := limit.ReadAll(f, maxFile, file)
	if err != nil {
		return fmt.Errorf("policies: %w", err)
	}
	l.file(filepath.ToSlash(file), data)
	return nil
}

func (l *loader) file(file string, data []byte) {
	lines := strings.Split(string(data), "\n")
	for _, d := range kube.ParseYAML(data) {
		if d.Err != nil {
			l.problem(Problem{File: file, Line: max(d.Line, d.ErrLine), Column: 1, Text: d.Err.Error()})
			continue
		}
		l.object(file, lines, d.Root, 0)
	}
}

func (l *loader) object(file string, lines []string, root *kube.Node, depth int) {
	if strings.HasSuffix(root.Get("kind").Text(), "List") && root.Get("items").Form() == kube.List && depth == 0 {
		for _, item := range root.Get("items").Items() {
			l.object(file, lines, item, depth+1)
		}
		return
	}
	o, ok := kube.NewObject(root, kube.Origin{File: file})
	switch {
	case !ok:
	case o.Is(Group, "ValidatingAdmissionPolicy"):
		l.policies = append(l.policies, source{o, lines})
	case o.Is(Group, "ValidatingAdmissionPolicyBinding"):
		l.bindings = append(l.bindings, source{o, lines})
	case o.Is(Group, "MutatingAdmissionPolicy"), o.Is(Group, "MutatingAdmissionPolicyBinding"):
		l.aside = append(l.aside, o)
	default:
		l.others = append(l.others, o)
	}
}

func (l *loader) problem(p Problem) {
	if len(l.problems) < 1000 {
		l.problems = append(l.problems, p)
	}
}

// set compiles what was gathered.
func (l *loader) set(paths []string) (*Set, error) {
	if len(l.policies) == 0 && len(l.problems) == 0 {
		return nil, fmt.Errorf("%s: no ValidatingAdmissionPolicy in it: %w", strings.Join(paths, ", "), bulwark.ErrMalformed)
	}
	if len(l.policies) > maxPolicies {
		return nil, fmt.Errorf("%d policies, at most %d are taken: %w", len(l.policies), maxPolicies, bulwark.ErrLimit)
	}
	s := &Set{params: &kube.Set{Objects: l.others}, Aside: l.aside}
	seen := map[string]*Policy{}
	for _, src := range l.policies {
		if first := seen[src.Name]; first != nil {
			l.problem(Problem{src.Origin.File, src.Origin.Line, 1, src.Name, fmt.Sprintf("another policy of that name is in %s, line %d, and counts", first.Object.Origin.File, first.Object.Origin.Line)})
			continue
		}
		p, ok := l.compile(src)
		seen[src.Name] = p
		if ok {
			s.Policies = append(s.Policies, p)
		}
	}
	for _, src := range l.bindings {
		l.bind(seen, src)
	}
	for _, p := range s.Policies {
		if len(p.Bindings) == 0 {
			p.Bindings = []*Binding{{Actions: []string{string(admissionv1.Deny)}}}
		}
	}
	slices.SortFunc(s.Policies, func(a, b *Policy) int { return cmp.Compare(a.Name, b.Name) })
	slices.SortStableFunc(l.problems, func(a, b Problem) int { return cmp.Or(cmp.Compare(a.File, b.File), cmp.Compare(a.Line, b.Line)) })
	s.Problems = l.problems
	return s, nil
}

// bind gives a binding to its policy.
func (l *loader) bind(policies map[string]*Policy, src source) {
	var typed admissionv1.ValidatingAdmissionPolicyBinding
	c := compiler{source: src, loader: l, name: src.Name}
	c.decode(&typed)
	p := policies[typed.Spec.PolicyName]
	if p == nil {
		c.wrong(src.Root.Get("spec"), "there is no policy %q among the files", typed.Spec.PolicyName)
		return
	}
	b := &Binding{Name: src.Name, Object: src.Object, params: typed.Spec.ParamRef}
	for _, a := range typed.Spec.ValidationActions {
		if a != admissionv1.Deny && a != admissionv1.Warn && a != admissionv1.Audit {
			c.wrong(src.Root.Get("spec", "validationActions"), "%q is no action: Deny, Warn and Audit are", a)
			continue
		}
		b.Actions = append(b.Actions, string(a))
	}
	switch {
	case len(b.Actions) == 0:
		c.wrong(src.Root.Get("spec"), "validationActions says nothing to do: Deny, Warn or Audit")
	case b.Does("Deny") && b.Does("Warn"):
		c.wrong(src.Root.Get("spec", "validationActions"), "Deny and Warn exclude each other")
	}
	if typed.Spec.MatchResources != nil {
		m := c.matcher(typed.Spec.MatchResources, src.Root.Get("spec", "matchResources"))
		b.match = &m
	}
	b.problem = badParams(p.paramKind, b.params)
	p.Bindings = append(p.Bindings, b)
}

// badParams says why parameters of a binding can be found nowhere.
func badParams(kind *admissionv1.ParamKind, r *admissionv1.ParamRef) string {
	switch {
	case kind == nil || r == nil:
		return ""
	case r.Name != "" && r.Selector != nil:
		return "paramRef.name and paramRef.selector are mutually exclusive"
	case r.Name == "" && r.Selector == nil:
		return "one of name or selector must be provided"
	}
	return ""
}
