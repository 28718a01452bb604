package workflow

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"bulwark"

	"github.com/google/go-cmp/cmp"
)

func TestParse(t *testing.T) {
	w, err := Parse([]byte("on:\n  push: {tags: [v1]}\n  pull_request_target:\njobs:\n  a:\n    steps:\n      - uses: Actions/Checkout@v4\n      - run: |\n          one\n\n          two ${{ github.head_ref }}\n      - run: x ${{ a }}\n"))
	if err != nil || len(w.Jobs) != 1 || len(w.Jobs[0].Steps) != 3 || w.On("x", "pull_request_target") == nil || w.On("issues") != nil || w.Triggers[0].Get("tags").IsList() == false {
		t.Fatalf("%+v, %v", w, err)
	}
	s := w.Jobs[0].Steps
	if s[0].Action() != "actions/checkout" || s[0].Uses().Line() != 7 {
		t.Errorf("step uses %q at %d", s[0].Action(), s[0].Uses().Line())
	}
	want := []Line{{9, "one"}, {10, ""}, {11, "two ${{ github.head_ref }}"}}
	if diff := cmp.Diff(want, Lines(s[1].Get("run"))); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff([]Expression{{"github.head_ref", 11}}, Expressions(s[1].Get("run"))); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff([]Expression{{"a", 12}}, Expressions(s[2].Get("run"))); diff != "" {
		t.Error(diff)
	}
	for _, text := range []string{"on: push", "on: [push]", "'on': push", "on:\n  push:\n"} {
		if w, err := Parse([]byte(text)); err != nil || w.On("push") == nil {
			t.Errorf("%q has no trigger: %v", text, err)
		}
	}
	if a, err := Parse([]byte("runs:\n  using: composite\n  steps: [{run: x}]\n")); err != nil || !a.Action || len(a.Jobs[0].Steps) != 1 {
		t.Errorf("action: %+v, %v", a, err)
	}
}

func TestExpression(t *testing.T) {
	for text, want := range map[string]string{
		"github.event.issue.title":                              "github.event.issue.title",
		"github.event['issue'].Title":                           "github.event.issue.title",
		"github.event.commits[0].message":                       "github.event.commits.*.message",
		"github.event.pages.*.page_name":                        "github.event.pages.*.page_name",
		"github.head_ref || github.ref":                         "github.head_ref github.ref",
		"a.b == 'x' && github.head_ref || 'y'":                  "github.head_ref",
		"github.head_ref == 'x'":                                "",
		"!github.head_ref":                                      "",
		"contains(github.head_ref, 'x')":                        "",
		"format('{0} {1}', github.actor, toJSON(github.event))": "github.actor github.event",
		"(github.head_ref)":                                     "github.head_ref",
		"fromJSON(needs.a.outputs.b).c":                         "needs.a.outputs.b.c",
		"'}}' && github.head_ref":                               "github.head_ref",
		"'it''s'":                                               "",
		"1 + github.ref":                                        "",
		"":                                                      "",
	} {
		if got := strings.Join(ParseExpression(text).Contexts, " "); got != want {
			t.Errorf("%s may become %q, want %q", text, got, want)
		}
	}
	p := ParseExpression("contains('a b', github.ref) && github.actor != 'x[bot]' + github.sha")
	if got := fmt.Sprint(p.Calls[0].Name, p.Calls[0].Args[0].Literal, p.Compared, p.All); got != "containsa b[[github.actor x[bot]]] [github.ref github.actor github.sha]" {
		t.Error(got)
	}
	for _, text := range []string{strings.Repeat("(", 10_000), strings.Repeat("a(", 10_000), strings.Repeat("!", 10_000), strings.Repeat("a[", 10_000), strings.Repeat("'", 9999), strings.Repeat("a.b||", 10_000), strings.Repeat("a!=", 5000)} {
		ParseExpression(text)
	}
}

func TestGitLab(t *testing.T) {
	g, err := ParseGitLab([]byte("spec: {inputs: {a: }}\n---\nstages: [x]\n.t: {script: a}\njob:\n  script:\n    - one\n    - [two, [three]]\n  image: x\n"))
	if err != nil || len(g.Jobs) != 2 || len(Script(g.Jobs[1].Get("script"))) != 3 {
		t.Errorf("%+v, %v", g, err)
	}
}

func TestBad(t *testing.T) {
	for name, data := range map[string]string{"large": strings.Repeat("#", 2<<20), "steps": "jobs: {a: {steps: [" + strings.Repeat("{},", 20_000) + "]}}"} {
		if _, err := Parse([]byte(data)); !errors.Is(err, bulwark.ErrLimit) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := Parse([]byte("a: [")); !errors.Is(err, bulwark.ErrMalformed) {
		t.Error(err)
	}
}

func FuzzExpression(f *testing.F) {
	f.Add("a && (b || !c) == format('x''y', d[0]['e'].*.f, 1) }}")
	f.Fuzz(func(t *testing.T, text string) {
		p := ParseExpression(text)
		for _, c := range p.Contexts {
			if c == "" {
				t.Errorf("%q becomes nothing", text)
			}
		}
	})
}

func FuzzParse(f *testing.F) {
	f.Add([]byte("on: push\njobs: {a: {steps: [{run: \"${{ b }}\"}]}}"))
	f.Fuzz(func(t *testing.T, data []byte) {
		w, err := Parse(data)
		if err != nil && !errors.Is(err, bulwark.ErrMalformed) && !errors.Is(err, bulwark.ErrLimit) {
			t.Error(err)
		}
		for _, j := range w.Jobs {
			for _, s := range j.Steps {
				Lines(s.Get("run"))
				Expressions(s.Get("run"))
			}
		}
		_, err = ParseGitLab(data)
		if err != nil && !errors.Is(err, bulwark.ErrMalformed) && !errors.Is(err, bulwark.ErrLimit) {
			t.Error(err)
		}
	})
}
