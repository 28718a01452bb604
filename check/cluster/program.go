package cluster

import (
	"slices"
	"strconv"
	"strings"

	"bulwark/check/internal/misconfig"
	"bulwark/check/internal/posture"
	"bulwark/kube"
)

// program is one of Kubernetes' own programs with its command line: as a pod runs it, or
// as kubeadm is told to run it.
type program struct {
	object  *kube.Object
	at      []any // of the list or map of flags
	flags   map[string]flag
	kubeadm bool // what is not there is as kubeadm sets it
}

// flag is one flag of a command line.
type flag struct {
	value string
	path  []any
}

// runs are the programs of a set, by name.
type runs map[string][]program

// programs gives everything in the set that is or configures the program of that name.
func programs(s *kube.Set, name string) []program { return (*kube.Memo(s, readPrograms))[name] }

func readPrograms(s *kube.Set) *runs {
	list := runs{}
	for _, w := range s.Workloads() {
		for i := range w.Containers {
			c := &w.Containers[i]
			name := c.Component()
			if name == "" || name == etcd && w.Namespace != system && !w.Spec.HostNetwork { // an application's etcd is its own affair
				continue
			}
			list[name] = append(list[name], ofContainer(w, c))
		}
	}
	for _, d := range documents(s, "kubeadm.k8s.io", "ClusterConfiguration") {
		for name := range kubeadmParts {
			list[name] = append(list[name], ofKubeadm(d, name))
		}
	}
	return &list
}

func ofContainer(w *kube.Workload, c *kube.Container) program {
	p := program{object: w.Object, at: w.ContainerPath(c, "command"), flags: map[string]flag{}}
	if len(c.Args) > 0 {
		p.at = w.ContainerPath(c, "args")
	}
	p.words(c.Command, w.ContainerPath(c, "command"))
	p.words(c.Args, w.ContainerPath(c, "args"))
	return p
}

// words reads the flags of a part of a command line: "--a=b", "--a b" and "--a".
func (p *program) words(words []string, at []any) {
	for i, word := range words {
		name, ok := strings.CutPrefix(word, "--")
		if !ok || name == "" {
			continue
		}
		name, value, given := strings.Cut(name, "=")
		if !given {
			value = "true"
			if i+1 < len(words) && !strings.HasPrefix(words[i+1], "-") {
				value = words[i+1]
			}
		}
		p.flags[strings.ReplaceAll(name, "_", "-")] = flag{strings.Trim(value, `"'`), append(slices.Clone(at), i)}
	}
}

// kubeadmParts is where kubeadm's configuration has the extra arguments of a program.
var kubeadmParts = map[string][]string{
	"kube-apiserver": {"apiServer"}, "kube-controller-manager": {"controllerManager"}, "kube-scheduler": {"scheduler"}, "etcd": {"etcd", "local"},
}

// ofKubeadm reads extraArgs: a map, or since v1beta4 a list of names and values.
func ofKubeadm(d document, name string) program {
	part := kubeadmParts[name]
	at := slices.Clone(d.at)
	for _, step := range part {
		at = append(at, step)
	}
	at = append(at, "extraArgs")
	p := program{object: d.object, at: at, flags: map[string]flag{}, kubeadm: true}
	args := d.root.Get(part...).Get("extraArgs")
	for k, v := range args.Fields() {
		p.flags[k] = flag{v.Text(), append(slices.Clone(at), k)}
	}
	for i, a := range args.Items() {
		p.flags[a.Get("name").Text()] = flag{a.Get("value").Text(), append(slices.Clone(at), i, "value")}
	}
	return p
}

// wrong says what is wrong with a program, and where; "" when nothing is.
type wrong func(p *program) (evidence string, path []any)

// demand is a rule about a flag.
type demand struct {
	misconfig.Rule
	program string
	wrong   wrong
	// kubeadm is true where kubeadm sets the flag as it should be when nobody says anything.
	kubeadm bool
	// edit mends it; nil where the right value is not ours to choose.
	edit *edit
}

// edit sets a flag.
type edit struct{ flag, value string }

// rule makes the rule of a demand.
func (d demand) rule() *posture.Rule {
	return &posture.Rule{Rule: d.Rule, Set: func(h *posture.Hits, s *kube.Set) {
		for _, p := range programs(s, d.program) {
			evidence, path := d.wrong(&p)
			if evidence == "" || p.kubeadm && d.kubeadm && path == nil {
				continue
			}
			if path == nil {
				path = p.at
			}
			h.Add(posture.Hit{Object: p.object, Path: path, Evidence: d.program + ": " + evidence, Edits: p.edits(d.edit)})
		}
	}}
}

func rulesOf(list []demand) []*posture.Rule {
	var out []*posture.Rule
	for _, d := range list {
		out = append(out, d.rule())
	}
	return out
}

// edits sets the flag where it is, or adds it to a container's words.
func (p *program) edits(e *edit) []kube.Edit {
	if e == nil || p.kubeadm {
		return nil
	}
	word := "--" + e.flag + "=" + e.value
	f, ok := p.flags[e.flag]
	if !ok {
		return []kube.Edit{{Path: p.at, Value: word, Append: true}}
	}
	if f.value == "true" || f.value == "false" || strings.Contains(p.object.Root.At(f.path...).Text(), "=") {
		return []kube.Edit{kube.Put(word, f.path...)}
	}
	return nil // the value is a word of its own
}

// is wants a flag to have a value; absent tells what the program does without it.
func is(name, want, absent string) wrong {
	return func(p *program) (string, []any) {
		f, ok := p.flags[name]
		switch {
		case !ok && absent == "":
			return "", nil
		case !ok:
			return "--" + name + " is not set: " + absent, nil
		case f.value != want:
			return "--" + name + "=" + f.value, f.path
		}
		return "", nil
	}
}

// isNot wants a flag not to have a value.
func isNot(name, bad string) wrong {
	return func(p *program) (string, []any) {
		if f, ok := p.flags[name]; ok && f.value == bad {
			return "--" + name + "=" + f.value, f.path
		}
		return "", nil
	}
}

// set wants all flags to be there.
func set(names ...string) wrong {
	return func(p *program) (string, []any) {
		var missing []string
		for _, n := range names {
			if p.flags[n].value == "" {
				missing = append(missing, "--"+n)
			}
		}
		switch len(missing) {
		case 0:
			return "", nil
		case 1:
			return missing[0] + " is not set", nil
		}
		return strings.Join(missing, " and ") + " are not set", nil
	}
}

// unset wants a flag not to be there.
func unset(name string) wrong {
	return func(p *program) (string, []any) {
		if f, ok := p.flags[name]; ok {
			return "--" + name + "=" + f.value, f.path
		}
		return "", nil
	}
}

func (p *program) list(name string) []string {
	return strings.FieldsFunc(p.flags[name].value, func(r rune) bool { return r == ',' || r == ' ' })
}

// has wants a list to have a word, unless another flag takes the list's place.
func has(name, want, instead string) wrong {
	return func(p *program) (string, []any) {
		_, replaced := p.flags[instead]
		if replaced || slices.Contains(p.list(name), want) {
			return "", nil
		}
		if f, ok := p.flags[name]; ok {
			return "--" + name + "=" + f.value + " lacks " + want, f.path
		}
		return "--" + name + " is not set, and " + want + " is not among its defaults", nil
	}
}

// lacks wants a list not to have a word.
func lacks(name, bad string) wrong {
	return func(p *program) (string, []any) {
		if slices.Contains(p.list(name), bad) {
			return "--" + name + "=" + p.flags[name].value, p.flags[name].path
		}
		return "", nil
	}
}

// least wants a number to be at least n where the other flag is set at all.
func least(name string, n int, given string) wrong {
	return func(p *program) (string, []any) {
		if p.flags[given].value == "" {
			return "", nil
		}
		f, ok := p.flags[name]
		if !ok {
			return "--" + name + " is not set", nil
		}
		if v, err := strconv.Atoi(f.value); err == nil && v < n && v >= 0 {
			return "--" + name + "=" + f.value, f.path
		}
		return "", nil
	}
}

// local wants an address to be this machine's own.
func local(name string) wrong {
	return func(p *program) (string, []any) {
		f, ok := p.flags[name]
		if !ok {
			return "--" + name + " is not set: it listens on all addresses", nil
		}
		if f.value == "127.0.0.1" || f.value == "::1" || f.value == "localhost" {
			return "", nil
		}
		return "--" + name + "=" + f.value, f.path
	}
}
