package secret

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"bulwark"
	"bulwark/check/secret/internal/rule"
)

// Check finds secrets in the configuration of images: environment, labels, commands,
// health check, and what the history tells of instructions and build arguments.
type Check struct {
	version int
	now     time.Time
	month   time.Time
	rules   func() ([]*rule.Rule, error)
}

var _ bulwark.Check = (*Check)(nil)

// NewConfig returns the check. Rules are read when the first image is checked.
func NewConfig(o Options) *Check {
	return &Check{version: o.version(), now: o.Now, month: o.month(), rules: sync.OnceValues(o.chosen)}
}

// Info describes the check.
func (c *Check) Info() bulwark.Info {
	return bulwark.Info{Name: name + "/config", Summary: "Credentials in an image's environment, labels, commands and history.", Version: c.version}
}

// Budgets of a configuration, which is foreign.
const (
	mostSettingsOfImage = 5000
	longestSetting      = 1 << 20
)

// Check emits what it finds, each value once, where it stands first; and the private keys that
// belong to certificates of the image.
func (c *Check) Check(ctx context.Context, t *bulwark.Target, inv *bulwark.Inventory, emit func(bulwark.Record)) error {
	if inv != nil {
		pairs(inv, c.now, emit)
	}
	if t.Image == nil {
		return nil
	}
	list, err := settingsOf(t.Image)
	if len(list) == 0 {
		return err
	}
	rules, rulesErr := c.rules()
	if rulesErr != nil {
		return rulesErr
	}
	if len(list) > mostSettingsOfImage {
		list = list[:mostSettingsOfImage]
		err = cmp.Or(err, fmt.Errorf("more than %d settings in an image's configuration: %w", mostSettingsOfImage, bulwark.ErrLimit))
	}
	var g grams
	for i := range list {
		g.add(list[i].searched())
	}
	e := buildFor(&g, rules, c.month)
	seen := map[string]bool{}
	var s scan
	for _, x := range list {
		for _, f := range x.findings(&s, e, seen) {
			emit(bulwark.Record{Finding: &f})
		}
		if ctx.Err() != nil {
			return ctx.Err()
		}
	}
	return err
}

// setting is one text of a configuration.
type setting struct {
	kind string // ENV, LABEL, ANNOTATION, CMD, ...; HISTORY
	name string // of a variable or label; "line 3"
	text string
}

// settingsOf lists what a configuration says. A configuration that cannot be read gives
// what was read besides.
func settingsOf(image *bulwark.Image) ([]setting, error) {
	var doc struct {
		Config struct {
			Env, Cmd, Entrypoint, Shell, OnBuild []string
			Labels                               map[string]string
			Healthcheck                          *struct{ Test []string }
		} `json:"config"`
	}
	var err error
	if len(image.Config) > 0 {
		if bad := json.Unmarshal(image.Config, &doc); bad != nil {
			err = fmt.Errorf("image configuration: %w: %w", bulwark.ErrMalformed, bad)
		}
	}
	var list []setting
	for _, v := range doc.Config.Env {
		name, _, _ := strings.Cut(v, "=")
		list = append(list, setting{"ENV", name, v})
	}
	for _, k := range slices.Sorted(maps.Keys(doc.Config.Labels)) {
		list = append(list, setting{"LABEL", k, k + "=" + doc.Config.Labels[k]})
	}
	for _, k := range slices.Sorted(maps.Keys(image.Annotations)) {
		list = append(list, setting{"ANNOTATION", k, k + "=" + image.Annotations[k]})
	}
	command := func(kind string, args []string) {
		if len(args) > 0 {
			list = append(list, setting{kind, "", strings.Join(args, " ")})
		}
	}
	command("ENTRYPOINT", doc.Config.Entrypoint)
	command("CMD", doc.Config.Cmd)
	command("SHELL", doc.Config.Shell)
	command("ONBUILD", doc.Config.OnBuild)
	if h := doc.Config.Healthcheck; h != nil {
		command("HEALTHCHECK", h.Test)
	}
	for i, h := range image.History {
		list = append(list, setting{"HISTORY", fmt.Sprint("line ", i+1), h.CreatedBy}, setting{"HISTORY", fmt.Sprint("comment ", i+1), h.Comment})
	}
	return list, err
}

// searched is the part of the text that is looked at.
func (x *setting) searched() string { return x.text[:min(len(x.text), longestSetting)] }

// findings are those of one setting, values aside that were seen before.
func (x *setting) findings(s *scan, e *engine, seen map[string]bool) []bulwark.Finding {
	text := x.searched()
	if text == "" {
		return nil
	}
	s.begin(e, "", int64(len(text)))
	s.place = place{settings: true}
	s.write([]byte(text))
	s.search(len(s.buf))
	var out []bulwark.Finding
	for _, c := range leading(s.found) {
		if seen[string(c.value)] {
			continue
		}
		seen[string(c.value)] = true
		out = append(out, x.finding(&c, e))
	}
	return out
}

func (x *setting) finding(c *candidate, e *engine) bulwark.Finding {
	kind, key := x.kind, cmp.Or(x.name, c.key)
	if kind == "HISTORY" {
		kind, key = x.instruction(c.key, string(c.value))
	}
	subject := strings.TrimSpace(kind + " " + clean(key))
	f := newFinding(c.rule, c.value, key, kind, know(c.rule, "", c.value, e.now))
	f.Subject = subject
	f.Evidence = append([]string{"in the image's configuration: " + subject}, f.Evidence...)
	if !c.rule.Personal {
		f.Tags = append(f.Tags, "cis-docker:4.10", "dockle:CIS-DI-0010") // no secrets in images
	}
	if kind == "ARG" {
		f.Evidence = append(f.Evidence, "a build argument stays in the history of the image")
	}
	return f
}

// instruction tells which instruction a line of the history is of. A line of RUN begins with
// the build arguments that were set: "|1 TOKEN=... /bin/sh -c make", with RUN before that
// where BuildKit wrote it.
func (x *setting) instruction(key, value string) (kind, name string) {
	text := strings.TrimSpace(strings.TrimPrefix(strings.TrimPrefix(x.text, "/bin/sh -c "), "#(nop)"))
	if arg := argument(strings.TrimPrefix(text, "RUN "), key, value); arg != "" {
		return "ARG", arg
	}
	first, _, _ := strings.Cut(text, " ")
	switch first {
	case "ENV", "ARG", "LABEL":
		return first, cmp.Or(key, assigned(text, value), x.name)
	case "CMD", "ENTRYPOINT", "HEALTHCHECK":
		return first, cmp.Or(key, x.name)
	}
	return "history " + x.name, key
}

// argument is the build argument, of a line of the history that begins with them, that is
// called key or has the value; empty for none.
func argument(line, key, value string) string {
	args, _, _ := strings.Cut(line, " /bin/")
	if !strings.HasPrefix(args, "|") {
		return ""
	}
	if key != "" && strings.Contains(args, " "+key+"=") {
		return key
	}
	return assigned(args, value)
}

// assigned is the name of the first NAME=... with the value in it; empty for none.
func assigned(text, value string) string {
	for word := range strings.FieldsSeq(text) {
		if name, v, ok := strings.Cut(word, "="); ok && strings.Contains(v, value) {
			return name
		}
	}
	return ""
}
