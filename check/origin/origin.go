// Package origin tells which line of a Dockerfile made what findings of an image are
// about: by the layer that a file is in, or by the instruction that set what the
// configuration says.
//
// It claims nothing where the image's history is not that of the Dockerfile, nor about the
// layers of the base image.
package origin

import (
	"fmt"
	"slices"
	"strings"

	"bulwark"
	"bulwark/build/dockerfile"
	"bulwark/check/internal/misconfig"
)

const name = "check/origin"

// Dockerfile is the file that images are said to be built from.
type Dockerfile struct {
	path   string
	file   *dockerfile.File
	judged []bulwark.Finding
}

// New parses a Dockerfile. judged are findings about it: their patches serve those of an
// image that are about the same thing. The error wraps ErrMalformed or ErrLimit.
func New(path string, data []byte, judged []bulwark.Finding) (*Dockerfile, error) {
	f, err := dockerfile.Parse(data)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return &Dockerfile{path, f, judged}, nil
}

// Trace gives findings of an image their Origin, with the instruction as evidence, and
// tells in notes what could not be traced. Paths and keys stay as they are.
func (d *Dockerfile) Trace(t *bulwark.Target, findings []bulwark.Finding) []bulwark.Note {
	if t.Image == nil {
		return []bulwark.Note{d.note("%s is no image: nothing of it is traced to the Dockerfile", t.Asset.Name)}
	}
	history := make([]string, len(t.Image.History))
	for i, h := range t.Image.History {
		history[i] = h.CreatedBy
	}
	stage, made, err := d.file.Trace(history)
	if err != nil {
		return []bulwark.Note{d.note("does not fit the history of %s, so nothing is traced to it: %v", t.Asset.Name, err)}
	}
	tr := trace{Dockerfile: d, stage: stage, made: made, layers: layersOf(t, made)}
	for i := range findings {
		tr.finding(&findings[i])
	}
	var notes []bulwark.Note
	if stage != d.file.Stages[len(d.file.Stages)-1] {
		notes = append(notes, d.note("%s was built from the stage of line %d, not from the last one", t.Asset.Name, stage.From.First))
	}
	if tr.layers == nil && len(t.Layers) > 0 {
		notes = append(notes, d.note("the history of %s does not tell which line made which layer: files are not traced", t.Asset.Name))
	}
	return notes
}

func (d *Dockerfile) note(format string, args ...any) bulwark.Note {
	return bulwark.Note{Plugin: name, Path: d.path, Text: misconfig.Clean(fmt.Sprintf(format, args...))}
}

// layersOf gives the line of the history that made each layer; nil when they do not fit
// each other: where a builder puts several steps into one layer, the step that the layer
// stands at is not the one that brought a file. Layers that are there twice are left out.
func layersOf(t *bulwark.Target, made []*dockerfile.Instruction) map[string]int {
	of, next := map[string]int{}, 0
	for i, h := range t.Image.History {
		if in := made[i]; in != nil && in.Name != "workdir" && h.Empty == slices.Contains(filling, in.Name) {
			return nil
		}
		if h.Empty {
			continue
		}
		if next >= len(t.Layers) {
			return nil
		}
		id := t.Layers[next].DiffID
		if _, twice := of[id]; twice {
			i = -1
		}
		of[id] = i
		next++
	}
	if next != len(t.Layers) {
		return nil
	}
	return of
}

// filling are the instructions that make layers; WORKDIR may.
var filling = []string{"run", "copy", "add"}

// trace is one image with its Dockerfile.
type trace struct {
	*Dockerfile
	stage  *dockerfile.Stage
	made   []*dockerfile.Instruction // by line of the history
	layers map[string]int
}

// finding traces one finding.
func (t *trace) finding(f *bulwark.Finding) {
	i := t.source(f)
	if i == nil {
		return
	}
	f.Origin = &bulwark.Place{Path: t.path, Line: t.line(i, f)}
	f.Evidence = append(slices.Clip(f.Evidence), fmt.Sprintf("%s:%d: %s", misconfig.Clean(t.path), f.Origin.Line, shown(i)))
	if fix := t.fix(f); fix != nil {
		f.Fix = fix
	}
}

// source is the instruction that a finding comes from; nil when it is not known or of the
// base image.
func (t *trace) source(f *bulwark.Finding) *dockerfile.Instruction {
	if f.Layer != "" {
		if at, ok := t.layers[f.Layer]; ok && at >= 0 {
			return t.made[at]
		}
		return nil
	}
	if f.Path != "" || f.Kind != bulwark.KindMisconfig && f.Kind != bulwark.KindSecret {
		return nil
	}
	word, rest, _ := strings.Cut(f.Subject, " ")
	if word == "history" {
		return t.step(rest)
	}
	if i := t.said(strings.ToLower(word), rest); i != nil || f.Rule != "image/root-user" || slices.ContainsFunc(t.made, isUser) {
		return i
	}
	return t.stage.From // no USER anywhere in the file
}

func isUser(i *dockerfile.Instruction) bool { return i != nil && i.Name == "user" }

// step is the instruction of "line 3".
func (t *trace) step(rest string) *dockerfile.Instruction {
	var n int
	if _, err := fmt.Sscanf(rest, "line %d", &n); err != nil || n < 1 || n > len(t.made) {
		return nil
	}
	return t.made[n-1]
}

// said is the last instruction of that name that speaks of key.
func (t *trace) said(name, key string) *dockerfile.Instruction {
	for _, i := range slices.Backward(t.made) {
		if i != nil && i.Name == name && !i.OnBuild && speaks(i, key) {
			return i
		}
	}
	return nil
}

func speaks(i *dockerfile.Instruction, key string) bool {
	if key == "" {
		return true
	}
	if len(i.Pairs) > 0 {
		return slices.ContainsFunc(i.Pairs, func(p dockerfile.Pair) bool { return p.Key == key })
	}
	return slices.ContainsFunc(i.Args, func(a string) bool {
		a = i.Expand(a)
		number, _, _ := strings.Cut(a, "/")
		return a == key || number == key
	})
}

// line is that of the variable or label in an instruction of several lines.
func (t *trace) line(i *dockerfile.Instruction, f *bulwark.Finding) int {
	_, key, _ := strings.Cut(f.Subject, " ")
	if f.Layer != "" || key == "" {
		return i.First
	}
	for n := i.First; n <= i.Last && n <= len(t.file.Lines); n++ {
		if strings.Contains(t.file.Lines[n-1], key+"=") {
			return n
		}
	}
	return i.First
}

// shown is an instruction in short: the programs that it runs, the variables that it sets,
// and no value, which may be a secret.
func shown(i *dockerfile.Instruction) string {
	var words []string
	add := func(w string) {
		if w != "" && len(words) < 8 && !slices.Contains(words, w) {
			words = append(words, w)
		}
	}
	switch {
	case i.Name == "run" && i.Script != nil:
		for k := range i.Script.Commands {
			add(i.Script.Commands[k].Name)
		}
	case len(i.Pairs) > 0:
		for _, p := range i.Pairs {
			add(p.Key)
		}
	case slices.Contains([]string{"copy", "add", "user", "expose", "workdir", "volume", "from"}, i.Name):
		for _, a := range i.Args {
			if !strings.Contains(a, "://") {
				add(a)
			}
		}
	}
	return misconfig.Clean(strings.ToUpper(i.Name) + " " + strings.Join(words, ", "))
}

// alike are the rules about Dockerfiles that speak of the same as those about images.
var alike = map[string][]string{
	"image/root-user":          {"dockerfile/root-user"},
	"image/env-secret":         {"dockerfile/secret-in-env"},
	"image/build-arg-secret":   {"dockerfile/secret-in-env"},
	"image/remote-access-port": {"dockerfile/ssh-port"},
	"image/database-port":      {"dockerfile/database-port"},
	"image/tls-off":            {"dockerfile/tls-not-verified"},
	"image/add":                {"dockerfile/add-for-copy"},
	"image/sudo":               {"dockerfile/sudo"},
}

// fix is that of a finding about the same line of the Dockerfile and the same thing, when
// it has a patch.
func (t *trace) fix(f *bulwark.Finding) *bulwark.Fix {
	rules := alike[f.Rule]
	if f.Kind == bulwark.KindSecret {
		rules = []string{"dockerfile/secret-in-env", "dockerfile/key-copied"}
	}
	for i := range t.judged {
		j := &t.judged[i]
		if slices.Contains(rules, j.Rule) && j.Fix != nil && j.Fix.Patch != nil &&
			(f.Rule == "image/root-user" || slices.ContainsFunc(j.Places, func(p bulwark.Place) bool { return p.Line == f.Origin.Line })) {
			return j.Fix
		}
	}
	return nil
}
