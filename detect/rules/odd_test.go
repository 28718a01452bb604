package rules

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// odds are conditions of rules, behind @ those of another source, with the warnings that they are told with.
var odds = map[string]string{
	"evt.type = open and evt.dir = <": "34 LOAD_DEPRECATED_ITEM evt.dir is deprecated: it is always <, as calls are seen when they return",
	"evt.type = open and evt.latency.ns > 5 and evt.latency.ns > val(evt.latency)": "34 LOAD_DEPRECATED_ITEM evt.latency.ns is deprecated: it is never there, as calls are seen when they return\n" +
		"78 LOAD_DEPRECATED_ITEM evt.latency is deprecated: it is never there, as calls are seen when they return\n" +
		"14 LOAD_COMPILE_CONDITION the condition can never be true",
	"evt.type = open and proc.name = proc.pname":                        "46 LOAD_COMPILE_CONDITION proc.pname is the name of a field, and compared with as a text; val(proc.pname) is the field",
	"evt.type = open and proc.name in (cat, 'proc.aname[2]')":           "53 LOAD_COMPILE_CONDITION proc.aname[2] is the name of a field, and compared with as a text; val(proc.aname[2]) is the field",
	"evt.type = open and proc.name = 'toupper( proc.pname)'":            "46 LOAD_COMPILE_CONDITION toupper( proc.pname) is compared with as a text; a transformer has neither quotes nor blanks",
	"evt.type = open and proc.name in (ka.verb, a.b, proc.nam, '1(2)')": "",
	"evt.type = open and proc.name regex '.*curl.*'":                    "50 LOAD_COMPILE_CONDITION the regex .*curl.* is a plain text: =, contains, startswith or endswith is quicker",
	"evt.type = open and proc.name regex '^curl$'":                      "50 LOAD_COMPILE_CONDITION the regex ^curl$ is a plain text: =, contains, startswith or endswith is quicker",
	"evt.type = open and proc.name regex 'c.*l'":                        "",
	"evt.type = open and proc.name regex 'curl{2}'":                     "",
	"evt.type = open and proc.name != <NA>":                             "",
	"@k8s_audit ka.verb != <NA>":                                        "25 LOAD_UNSAFE_NA_CHECK <NA> is a text, which no field is: exists tells whether there is a value",
	"@k8s_audit jevt.value[/a] in (x, <NA>)":                            "36 LOAD_UNSAFE_NA_CHECK <NA> is a text, which no field is: exists tells whether there is a value",
	"@k8s_audit ka.verb contains <NA>":                                  "",
	"@aws_cloudtrail ct.name = x and no_macro and no.field[":            "51 LOAD_UNKNOWN_SOURCE there are no events of source aws_cloudtrail here: the rule is not run",
	"@aws_cloudtrail ct.name = x":                                       "3 LOAD_UNKNOWN_SOURCE there are no events of source aws_cloudtrail here: the rule is not run",
}

func TestOdd(t *testing.T) {
	for condition, want := range odds {
		source, text := "syscall", condition
		if s, c, ok := strings.Cut(condition, " "); ok && s[0] == '@' {
			source, text = s[1:], c
		}
		_, problems := New(options(File{"a.yaml", fmt.Appendf(nil, "- rule: R\n  desc: d\n  source: %s\n  priority: INFO\n  output: o\n  condition: %s\n", source, text)}))
		var got []string
		for _, p := range problems {
			if !p.Warning {
				t.Errorf("%s: %s", condition, p.String())
			}
			got = append(got, fmt.Sprintf("%d %s %s", p.Column, p.Code, p.Text))
		}
		if diff := cmp.Diff(want, strings.Join(got, "\n")); diff != "" {
			t.Errorf("%s (-want +got):\n%s", condition, diff)
		}
	}
}

// TestOutputPrefix holds outputs to the longest name of a field that a text begins with.
func TestOutputPrefix(t *testing.T) {
	for output, want := range map[string]string{
		"%proc.pid_x":           "600_x",
		"%proc.named %proc.pid": "shd 600",
		"%evt.type.is":          "execve.is",
		"%proc.name[2]":         "sh[2]",
		"%evt.arg.exe.dir":      "/bin/sh.dir",
		"%proc.aname":           "sh",
		"%proc.name.":           "sh.",
		"%evt.dir":              "<",
	} {
		d, problems := New(options(File{"a.yaml", fmt.Appendf(nil, "- rule: R\n  desc: d\n  priority: INFO\n  output: %q\n  condition: evt.type = execve\n", output)}))
		for _, p := range problems {
			if !p.Warning {
				t.Errorf("%s: %s", output, p.String())
			}
		}
		found := d.Observe(scenes()["exec"])
		if len(found) != 1 || found[0].Alert.Output != want {
			t.Errorf("%s gives %v, not %q", output, found, want)
		}
	}
}

// TestTaken holds what Falco takes to be taken, and to mean the same.
func TestTaken(t *testing.T) {
	for _, tt := range []struct {
		scene, condition string
		want             bool
	}{
		{"exec", "fd.types[3] in (file)", false},
		{"exec", "not fd.types[7] intersects (file)", true},
		{"exec", "evt.arg.resource exists or evt.rawarg.cur > 0", false},
		{"exec", "proc.name in val(proc.name) and proc.name intersects val(proc.name) and proc.pid in val(proc.pid)", true},
		{"exec", "proc.name in val(proc.pname) or proc.pid in val(proc.ppid)", false},
		{"exec", "proc.exepath pmatch val(proc.exepath) and not proc.exepath pmatch val(proc.name)", true},
		{"audit", "evt.type = pluginevent", true},
		{"audit", "evt.type = k8s_audit", true},
	} {
		e := scenes()[tt.scene]
		if tt.scene == "audit" {
			e = audited(`{"verb":"get"}`)
		}
		source := "syscall"
		if tt.scene == "audit" {
			source = "k8s_audit"
		}
		d, problems := New(options(File{"a.yaml", fmt.Appendf(nil, "- rule: R\n  desc: d\n  priority: INFO\n  source: %s\n  output: o\n  condition: %s\n", source, tt.condition)}))
		for _, p := range problems {
			if !p.Warning {
				t.Error(p.String())
			}
		}
		if got := len(d.Observe(e)) == 1; got != tt.want {
			t.Errorf("%s: %v", tt.condition, got)
		}
	}
}

func TestSkipUnknownEvent(t *testing.T) {
	_, problems := New(options(File{"a.yaml", []byte("- rule: R\n  desc: d\n  priority: INFO\n  output: o\n  condition: evt.type = newcall\n  skip-if-unknown-filter: true\n")}))
	if len(problems) != 1 || !problems[0].Warning || problems[0].Code != "LOAD_UNKNOWN_FILTER" {
		t.Errorf("%v", problems)
	}
}
