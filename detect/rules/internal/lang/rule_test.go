package lang

import (
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

func TestRule(t *testing.T) {
	const full = `
- rule: A rule
  desc: >
    What it
    is about.
  condition: |
    evt.type = open
    and fd.name exists
  output: >
    *Opened %fd.name by %20proc.name[2] (%toupper(proc.name)) 5.
  priority: crITical
  source: k8s_audit
  enabled: "no"
  tags: [a, b, a]
  warn_evttypes: False
  skip-if-unknown-filter: true
  capture: yes
  capture_duration: 500
  action: kill
`
	const changes = `
- rule: A rule
  desc: more
  output: and %evt.num
  tags: [c, a]
  override: {desc: append, output: append, tags: append}
- rule: A rule
  priority: DEBUG
  enabled: true
  warn_evttypes: true
  skip-if-unknown-filter: false
  capture: false
  capture_duration: 7
  action: alert
  override: {priority: replace, enabled: replace, warn_evttypes: replace, skip-if-unknown-filter: replace, capture: replace, capture_duration: replace, action: replace}
`
	want := Rule{
		Name: "A rule", Desc: "What it is about.\n", Source: "k8s_audit", Priority: Critical, Tags: []string{"a", "b"},
		Text: "evt.type = open\nand fd.name exists", SkipUnknown: true, Capture: true, CaptureFor: 500, Action: "kill",
		Output: Output{Text: "*Opened %fd.name by %20proc.name[2] (%toupper(proc.name)) 5."},
		Pos:    Pos{0, 2, 3}, ConditionPos: Pos{0, 6, 14}, OutputPos: Pos{0, 9, 11}, ActionPos: Pos{0, 19, 11},
	}
	ignore := cmpopts.IgnoreFields(Rule{}, "Condition", "Output.Pieces")
	s := Load([]File{{"f", []byte(full)}})
	if len(s.Rules) != 1 || len(s.Problems) > 0 {
		t.Fatalf("%d rules, %v", len(s.Rules), s.Problems)
	}
	if diff := cmp.Diff(want, *s.Rules[0], ignore); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	pieces := ""
	for _, p := range s.Rules[0].Output.Pieces {
		pieces += fmt.Sprintf("%d:%d %v %d %q\n", p.Pos.Line, p.Pos.Column, p.Term != nil, p.Width, p.Text)
	}
	if diff := cmp.Diff(`10:6 false 0 "Opened "
10:13 true 0 "fd.name"
10:22 false 0 " by "
10:25 true 20 "proc.name[2]"
10:41 false 0 " ("
10:42 true 0 "toupper(proc.name)"
10:61 false 0 ") 5."
`, pieces); diff != "" {
		t.Errorf("pieces (-want +got):\n%s", diff)
	}

	s = Load([]File{{"f", []byte(full)}, {"g", []byte(changes)}})
	if len(s.Problems) > 0 {
		t.Fatal(s.Problems)
	}
	want.Desc, want.Tags, want.Priority, want.Action, want.ActionPos = "What it is about.\n more", []string{"a", "b", "c"}, Debug, "alert", Pos{1, 14, 11}
	want.Output.Text = "*Opened %fd.name by %20proc.name[2] (%toupper(proc.name)) 5. and %evt.num"
	want.Enabled, want.WarnEventTypes, want.SkipUnknown, want.Capture, want.CaptureFor = true, true, false, false, 7
	if diff := cmp.Diff(want, *s.Rules[0], ignore); diff != "" {
		t.Errorf("after changes (-want +got):\n%s", diff)
	}
}

func TestDefaults(t *testing.T) {
	s := Load([]File{{"f", []byte(rule("R", "a.b exists"))}})
	got := *s.Rules[0]
	if got.Source != "syscall" || !got.Enabled || !got.WarnEventTypes || got.SkipUnknown || !got.Output.Strict || got.Priority != Informational {
		t.Errorf("%+v", got)
	}
}

// places are conditions in all forms that YAML has for texts; in each the comparison with x is wrong.
func TestPlaces(t *testing.T) {
	for _, tt := range []struct {
		name, condition string
		line, column    int32
	}{
		{"plain", "a.b exists and a.c is x", 2, 33},
		{"plain in lines", "a.b exists\n    and a.c\n      is x", 4, 7},
		{"literal", "|\n    a.b exists\n\n    and a.c is x", 5, 13},
		{"folded", ">\n    a.b exists\n    and\n      a.c is x", 5, 11},
		{"folded and stripped", ">-\n    a.b exists\n    and a.c is x\n", 4, 13},
		{"with an indent", "|2\n    a.b exists\n    and a.c is x\n", 4, 13},
		{"with a comment", "> # is\n    a.b exists\n    and a.c is x\n", 4, 13},
		{"tagged", "!!str >\n    a.b exists\n    and a.c is x\n", 4, 13},
		{"single quotes", "'a.b = ''x y'' and a.c is x'", 2, 37},
		{"single quotes in lines", "'a.b exists\n   and\n\n   a.c is x'", 5, 8},
		{"double quotes", `"a.b = \"x y\" and a.c is x"`, 2, 37},
		{"double quotes with escapes", `"a.b = \x61\u00e9\U0001F600 \n\tand\ a.c is x"`, 2, 55},
		{"double quotes in lines", "\"a.b exists \\\n   and\n   a.c is x\"", 4, 8},
		{"letters of more than one byte", "a.b = ééé and a.c is x", 2, 32},
		{"brackets that begin", "(a.b exists and a.c is x)", 2, 34},
	} {
		s := Load([]File{{"f", []byte("- rule: R\n  condition: " + tt.condition + rest)}})
		if len(s.Problems) != 1 || s.Problems[0].Pos != (Pos{0, tt.line, tt.column}) {
			t.Errorf("%s: %+v, want %d:%d", tt.name, s.Problems, tt.line, tt.column)
		}
	}
}
