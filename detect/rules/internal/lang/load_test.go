package lang

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// loaded loads files f0, f1 ... and tells what came of them: a line for each rule, and one for each problem.
func loaded(files ...string) string {
	var list []File
	for i, f := range files {
		list = append(list, File{fmt.Sprintf("f%d", i), []byte(f)})
	}
	s := Load(list)
	var b strings.Builder
	for _, r := range s.Rules {
		fmt.Fprintf(&b, "%s: %s\n", r.Name, Print(r.Condition, true, 1000))
	}
	for _, p := range s.Problems {
		kind := "error"
		if p.Warning {
			kind = "warning"
		}
		fmt.Fprintf(&b, "%s: %s: %s: %s\n", s.Place(p.Pos), kind, p.Rule, p.Text)
	}
	return b.String()
}

// rest is what a rule needs beside its condition.
const rest = "\n  desc: d\n  output: o\n  priority: INFO\n"

func rule(name, cond string) string { return "- rule: " + name + "\n  condition: " + cond + rest }

var loads = []struct {
	name  string
	files []string
	want  string
}{
	{"nothing", []string{""}, ""},
	{"comments", []string{"# x\n---\n# y\n"}, ""},
	{"a rule", []string{rule("R", "evt.type = open")}, "R: evt.type = open\n"},
	{"JSON", []string{`[{"rule":"R","condition":"evt.type = open","desc":"d","output":"o","priority":"info"}]`}, "R: evt.type = open\n"},
	{"two documents", []string{rule("R", "a.b exists") + "---\n" + rule("S", "a.b exists")}, "R: a.b exists\nS: a.b exists\n"},
	{"a chart's values", []string{"customRules:\n  a.yaml: |-\n    - rule: x\n"}, "f0:1:1: error: : a file of rules is a list: each rule, macro and list begins with a dash; these are values of Falco's chart: each text below customRules is such a file\n"},
	{"a ConfigMap", []string{"kind: ConfigMap\ndata: {}\n"}, "f0:1:1: error: : a file of rules is a list: each rule, macro and list begins with a dash; this is a ConfigMap: each text in its data may be such a file\n"},
	{"no list", []string{"rule: x\n"}, "f0:1:1: error: : a file of rules is a list: each rule, macro and list begins with a dash\n"},
	{"a text", []string{"- x\n"}, "f0:1:3: error: : expected a rule, macro or list: keys with values\n"},
	{"unknown item", []string{"- rul: x\n"}, "f0:1:3: warning: : neither rule nor macro nor list: left out; is rule meant?\n"},
	{"macros", []string{"- macro: m\n  condition: (a.b = 1 or a.b = 2)\n" + "- macro: n\n  condition: not m\n" + rule("R", "n and a.c exists")},
		"R: (not (a.b = 1 or a.b = 2)) and a.c exists\n"},
	{"a macro overrides", []string{"- macro: m\n  condition: a.b = 1\n" + rule("R", "m"), "- macro: m\n  condition: a.b = 2\n"}, "R: (a.b = 2)\n"},
	{"a macro is given twice", []string{"- macro: m\n  condition: a.b = 1\n- macro: m\n  condition: a.b = 2\n" + rule("R", "m")},
		"R: (a.b = 2)\nf0:3:3: warning: m: the file has this macro at line 1 already; the later counts\n"},
	{"a macro is appended to", []string{"- macro: m\n  condition: a.b = 1\n" + rule("R", "m and a.c exists"), "- macro: m\n  condition: or a.b = 2\n  append: true\n"},
		"R: (a.b = 1 or a.b = 2) and a.c exists\nf1:3:3: warning: m: append is deprecated; override says of each part what becomes of it\n"},
	{"a macro is overridden", []string{"- macro: m\n  condition: a.b = 1\n" + rule("R", "m"),
		"- macro: m\n  condition: or a.b = 2\n  override:\n    condition: append\n", "- macro: m\n  condition: and a.b = 3\n  override: {condition: append}\n"},
		"R: (a.b = 1 or a.b = 2 and a.b = 3)\n"},
	{"a macro is replaced", []string{"- macro: m\n  condition: a.b = 1\n" + rule("R", "m"), "- macro: m\n  condition: a.b = 2\n  override:\n    condition: replace\n"},
		"R: (a.b = 2)\n"},
	{"a macro is used before it is given", []string{rule("R", "m") + "- macro: m\n  condition: a.b = 1\n"}, "R: (a.b = 1)\n"},
	{"a macro uses a later one", []string{"- macro: n\n  condition: m\n- macro: m\n  condition: a.b = 1\n" + rule("R", "n")},
		"R: ((a.b = 1))\nf0:2:14: warning: m: the macro m is only given later, at line 3; Falco refuses that\n"},
	{"macros in a circle", []string{"- macro: m\n  condition: n and a.b = 1\n- macro: n\n  condition: not m\n" + rule("R", "n") + rule("S", "a.b = 1")},
		"S: a.b = 1\n" +
			"f0:2:14: warning: n: the macro n is only given later, at line 3; Falco refuses that\n" +
			"f0:4:18: error: n: the macro m stands for itself, through what it uses\n" +
			"f0:6:14: error: R: the macro n at line 3 cannot be taken\n"},
	{"a macro in itself", []string{"- macro: m\n  condition: a.b = 1 or m\n" + rule("R", "m")},
		"f0:2:25: error: m: the macro m stands for itself, through what it uses\nf0:4:14: error: R: the macro m at line 1 cannot be taken\n"},
	{"no such macro", []string{"- macro: spawned_process\n  condition: a.b = 1\n" + rule("R", "spawned_proces and x") + rule("S", "spawned_process")},
		"S: (a.b = 1)\nf0:4:14: error: R: no macro spawned_proces; is spawned_process meant?\n"},
	{"a list as macro", []string{"- list: l\n  items: [a]\n" + rule("R", "l") + rule("S", "a.b in (l)")},
		"S: a.b in (a)\nf0:4:14: error: R: l is a list, and here a macro or comparison is needed\n"},
	{"a broken macro", []string{"- macro: m\n  condition: a.b is 1\n" + rule("R", "m") + rule("S", "a.b exists")},
		"S: a.b exists\nf0:2:18: error: m: \"is\" is no operator\nf0:4:14: error: R: the macro m at line 1 cannot be taken\n"},
	{"unused", []string{"- macro: m\n  condition: a.b = 1\n- list: l\n  items: [a]\n"},
		"f0:1:3: warning: m: no rule and no macro uses this macro\nf0:3:3: warning: l: no rule, macro or list uses this list\n"},
	{"names", []string{"- macro: 1m\n  condition: a.b = 1\n- list: a b\n  items: [a]\n- macro: m-n\n  condition: a.b = 1\n"},
		"f0:1:3: warning: 1m: no rule and no macro uses this macro\n" +
			"f0:1:10: warning: 1m: \"1m\" is no name of a macro that conditions can give: a letter, then letters, digits and _\n" +
			"f0:3:3: warning: a b: no rule, macro or list uses this list\n" +
			"f0:3:9: warning: a b: \"a b\" is no name of a list that conditions can give: blanks, quotes, commas, = and parentheses cannot be in one\n" +
			"f0:5:3: warning: m-n: no rule and no macro uses this macro\n" +
			"f0:5:10: warning: m-n: \"m-n\" is no name of a macro that conditions can give: a letter, then letters, digits and _\n"},
	{"a list of nothing", []string{"- list: l\n  items:\n- list: m\n  items: [a, null]\n"},
		"f0:2:9: error: l: items of list \"l\" has to be a list\nf0:4:14: error: m: items of list \"m\" has an item that is nothing\n"},

	{"lists", []string{"- list: l\n  items: [a, 'b c', 5, true, \"\\\"d e\\\"\", '''f''']\n" + rule("R", "x.y in (l)")},
		`R: x.y in (a, "b c", 5, true, "d e", "f")` + "\n"},
	{"lists in lists", []string{"- list: l\n  items: [a, b]\n- list: m\n  items: [l, c]\n- list: n\n  items: [m, d, m]\n" + rule("R", "x.y in (z, n, z)")},
		"R: x.y in (z, a, b, c, d, a, b, c, z)\n"},
	{"a list in itself", []string{"- list: docker\n  items: [docker, dockerd]\n" + rule("R", "x.y in (docker)")}, "R: x.y in (docker, dockerd)\n"},
	{"an empty list", []string{"- list: l\n  items: []\n" + rule("R", "x.y in (l, a)") + rule("S", "x.y in (l)")}, "R: x.y in (a)\nS: x.y in ()\n"},
	{"a list without parentheses", []string{"- list: l\n  items: [a, b]\n" + rule("R", "x.y in l") + rule("S", "x.y pmatch l")}, "R: x.y in (a, b)\nS: x.y pmatch (a, b)\n"},
	{"a quoted name of a list", []string{"- list: l\n  items: [a]\n" + rule("R", `x.y in ("l", l)`)}, "R: x.y in (\"l\", a)\n"},
	{"a list of one", []string{"- list: l\n  items: [443]\n" + rule("R", "x.y = l and x.z >= l")}, "R: x.y = 443 and x.z >= 443\n"},
	{"a list where one value has to be", []string{"- list: l\n  items: [a, b]\n" + rule("R", "x.y = l") + rule("S", "x.y < m")},
		"f0:4:20: error: R: = compares with one value, and the list l has 2; in (l) compares with all\nf0:9:20: error: S: < compares with a number, not with \"m\"\n"},
	{"a modifier with a list", []string{"- list: l\n  items: [a, b]\n" + rule("R", "x.y startswith anyof (l, c)")}, "R: x.y startswith anyof (a, b, c)\n"},
	{"a list is appended to", []string{"- list: l\n  items: [a]\n" + rule("R", "x.y in (l)"), "- list: l\n  items: [b]\n  append: true\n", "- list: l\n  items: [c]\n  override: {items: append}\n"},
		"R: x.y in (a, b, c)\nf1:3:3: warning: l: append is deprecated; override says of each part what becomes of it\n"},
	{"a list is replaced", []string{"- list: l\n  items: [a]\n" + rule("R", "x.y in (l)"), "- list: l\n  items: [c]\n  override: {items: replace}\n"}, "R: x.y in (c)\n"},
	{"a list is overridden", []string{"- list: l\n  items: [a]\n" + rule("R", "x.y in (l)"), "- list: l\n  items: [c]\n"}, "R: x.y in (c)\n"},
	{"a list that is not there", []string{"- list: l\n  items: [a]\n  append: true\n- list: m\n"},
		"f0:1:9: error: l: no list \"l\" to append to is known here\n" +
			"f0:3:3: warning: l: append is deprecated; override says of each part what becomes of it\n" +
			"f0:4:3: error: m: list \"m\" has no items\n"},
	{"nearly a list", []string{"- list: shell_binaries\n  items: [a]\n" + rule("R", "x.y in (shell_binarie)") + rule("S", "x.y in (shell_binaries)")},
		"R: x.y in (shell_binarie)\nS: x.y in (a)\nf0:4:22: warning: : no list \"shell_binarie\", so it is a text; is the list shell_binaries meant?\n"},
	{"items that are none", []string{"- list: l\n  items: [a, [b]]\n- list: m\n  items: x\n"},
		"f0:2:14: error: l: items of list \"l\" has to be a list of texts; this is a list or map\nf0:4:10: error: m: items of list \"m\" has to be a list\n"},

	{"a rule overrides", []string{rule("R", "a.b = 1"), rule("R", "a.b = 2")}, "R: a.b = 2\n"},
	{"a rule is given twice", []string{rule("R", "a.b = 1") + rule("R", "a.b = 2")},
		"R: a.b = 2\nf0:6:3: warning: R: the file has this rule at line 1 already; the later counts\n"},
	{"a rule of another source", []string{rule("R", "a.b = 1"), rule("R", "a.b = 2") + "  source: k8s_audit\n"},
		"R: a.b = 1\nf1:6:11: error: R: rule \"R\" is of source k8s_audit, and was of syscall before: that cannot change\n"},
	{"a rule is appended to", []string{rule("R", "a.b = 1 or a.b = 2"), "- rule: R\n  condition: and a.c = 3\n  append: true\n"},
		"R: a.b = 1 or a.b = 2 and a.c = 3\nf1:3:3: warning: R: append is deprecated; override says of each part what becomes of it\n"},
	{"nothing is appended", []string{rule("R", "a.b = 1") + "- rule: R\n  enabled: true\n  append: true\n"},
		"R: a.b = 1\nf0:6:9: error: R: rule \"R\" is to be appended to, and has neither condition nor exceptions\n" +
			"f0:8:3: warning: R: append is deprecated; override says of each part what becomes of it\n"},
	{"append before there is anything", []string{"- macro: m\n  condition: or a.b = 1\n  override: {condition: append}\n- macro: m\n  condition: a.b = 2\n" + rule("R", "m")},
		"R: (a.b = 2)\nf0:1:10: error: m: no macro m to append to is known here\n"},
	{"replace before there is anything", []string{"- macro: m\n  condition: a.b = 1\n  override: {condition: replace}\n", "- macro: m\n  condition: a.b = 2\n" + rule("R", "m")}, "R: (a.b = 2)\n"},
	{"override is misspelt", []string{"- list: l\n  items: [a]\n" + rule("R", "x.y in (l)"), "- list: l\n  items: [b]\n  overridde: {items: append}\n"},
		"R: x.y in (b)\nf1:3:3: warning: l: \"overridde\" is no key of a list; is override meant?\n"},
	{"append and replace at once", []string{rule("R", "a.b = 1"), "- rule: R\n  desc: e\n  condition: and a.c = 2\n  priority: WARNING\n  override: {desc: replace, condition: append, priority: replace}\n"},
		"R: a.b = 1 and a.c = 2\n"},
	{"append passes over what is enabled", []string{rule("R", "a.b = 1"), "- rule: R\n  condition: and a.c = 2\n  enabled: false\n  append: true\n"},
		"R: a.b = 1 and a.c = 2\nf1:4:3: warning: R: append is deprecated; override says of each part what becomes of it\n"},
	{"a rule is enabled", []string{rule("R", "a.b = 1") + "  enabled: false\n- rule: R\n  enabled: true\n"},
		"R: a.b = 1\nf0:8:3: warning: R: enabled without override is deprecated; add override: {enabled: replace}\n"},
	{"what is appended is wrong", []string{rule("R", "a.b = 1"), "- rule: R\n  condition: >\n    and\n    a.c is 3\n  override: {condition: append}\n"},
		"f1:4:9: error: R: \"is\" is no operator\n"},
	{"override of nothing", []string{"- rule: R\n  condition: and a.c = 3\n  override: {condition: append}\n", rule("Rx", "a.b exists") + "- rule: Ry\n  enabled: false\n"},
		"Rx: a.b exists\nf0:1:9: error: R: no rule \"R\" is known here that could be changed\nf1:6:9: error: Ry: no rule \"Ry\" is known here that could be enabled or disabled\n"},
	{"override is wrong", []string{rule("R", "a.b = 1"),
		"- rule: R\n  priority: INFO\n  override: {priority: append}\n" +
			"- rule: R\n  condition: and a.b = 1\n  override: {conditon: append}\n" +
			"- rule: R\n  condition: and a.b = 1\n  override: {condition: add}\n" +
			"- rule: R\n  desc: x\n  condition: and a.b = 1\n  override: {desc: replace}\n" +
			"- rule: R\n  override: {desc: replace}\n" +
			"- rule: R\n  condition: and a.b = 2\n  append: true\n  override: {condition: append}\n"},
		"R: a.b = 1\n" +
			"f1:3:24: error: R: priority cannot be appended to, only replaced\n" +
			"f1:6:14: error: R: \"conditon\" is nothing that is overridden; is condition meant?\n" +
			"f1:9:25: error: R: \"add\" is neither append nor replace\n" +
			"f1:12:3: error: R: override says nothing of condition: append or replace\n" +
			"f1:15:14: error: R: override says replace of desc, and rule \"R\" has no desc\n" +
			"f1:18:3: warning: R: append is deprecated; override says of each part what becomes of it\n" +
			"f1:18:11: error: R: rule \"R\" has both append and override\n"},
	{"parts are missing", []string{"- rule: R\n  desc: d\n  condition: a.b exists\n  output: o\n- rule: S\n- rule:\n- rule: T\n  condition:\n" + "  desc: d\n  output: o\n  priority: INFO\n"},
		"f0:1:3: error: R: rule \"R\" has no priority\n" +
			"f0:5:3: error: S: rule \"S\" has no condition, output, desc and priority\n" +
			"f0:6:3: error: : the rule has no name\n" +
			"f0:8:3: error: T: condition of rule \"T\" is empty\n"},
	{"wrong values", []string{"- rule: R\n  desc: d\n  condition: a.b exists\n  output: o\n  priority: HIGH\n" +
		rule("S", "a.b exists") + "  enabled: maybe\n" + rule("T", "a.b exists") + "  capture_duration: long\n" + rule("U", "a.b exists") + "  tags: x\n" + rule("V", "a.b exists") + "  action: stop\n"},
		"f0:5:13: error: R: \"HIGH\" is no priority; they are emergency, alert, critical, error, warning, notice, informational and debug\n" +
			"f0:11:12: error: S: enabled of rule \"S\" has to be true or false, not \"maybe\"\n" +
			"f0:17:21: error: T: capture_duration of rule \"T\" has to be a number, not \"long\"\n" +
			"f0:23:9: error: U: tags of rule \"U\" has to be a list\n" +
			"f0:29:11: error: V: \"stop\" is no action; they are alert, freeze, kill, deny\n"},
	{"several things at once", []string{"- rule: R\n  desc: d\n  condition: a.b is 1\n  output: '%x'\n  priority: HIGH\n  enabled: maybe\n"},
		"f0:3:18: error: R: \"is\" is no operator\n" +
			"f0:4:12: error: R: % has to be followed by the name of a field, such as %proc.name; found \"x\"\n" +
			"f0:5:13: error: R: \"HIGH\" is no priority; they are emergency, alert, critical, error, warning, notice, informational and debug\n" +
			"f0:6:12: error: R: enabled of rule \"R\" has to be true or false, not \"maybe\"\n"},
	{"unknown keys", []string{rule("R", "a.b exists") + "  tag: [x]\n  desc: e\n"},
		"R: a.b exists\nf0:6:3: warning: R: \"tag\" is no key of a rule; is tags meant?\nf0:7:3: warning: R: \"desc\" is given twice; the first counts\n"},
	{"a condition given twice", []string{"- rule: R\n  desc: d\n  condition: a.b = 1\n  output: o\n  priority: INFO\n  condition: a.b = 2\n"},
		"R: a.b = 1\nf0:6:3: warning: R: \"condition\" is given twice; the first counts\n"},
	{"no YAML in one rule", []string{rule("R", "a.b exists") + "- rule: S\n  desc: \"x\n  condition: y: z\n- rule: T\n  condition: *a\n" + rule("U", "a.b exists")},
		"R: a.b exists\nU: a.b exists\n" +
			"f0:7:3: error: : this is no YAML: found unexpected end of stream\n" +
			"f0:9:1: error: : this is no YAML: unknown anchor 'a' referenced\n"},
	{"aliases", []string{"- list: l\n  items: &x [a, b]\n- list: m\n  items: *x\n" + rule("R", "a.b in (l, m)")}, "R: a.b in (a, b, a, b)\n"},

	{"an engine that is there", []string{"- required_engine_version: 0.57.0\n" + rule("R", "a.b exists"), "- required_engine_version: 15\n", "- required_engine_version: \"0.63.0\"\n"}, "R: a.b exists\n"},
	{"an engine that is not", []string{rule("R", "a.b exists") + "- required_engine_version: 0.64.0\n", "- required_engine_version: 64\n", "- required_engine_version: 1.0.0\n" + rule("R", "a.b exists"), rule("S", "a.b exists")},
		"S: a.b exists\n" +
			"f0:6:28: error: : the file needs version 0.64.0 of the engine, and this is 0.63.0; nothing of the file is taken\n" +
			"f1:1:28: error: : the file needs version 0.64.0 of the engine, and this is 0.63.0; nothing of the file is taken\n" +
			"f2:1:28: error: : the file needs version 1.0.0 of the engine, and this is 0.63.0; nothing of the file is taken\n"},
	{"no version", []string{"- required_engine_version: 0.63\n"}, "f0:1:28: error: : \"0.63\" is no version: x.y.z, or a number\n"},
	{"plugins", []string{"- required_plugin_versions:\n    - name: container\n      version: 0.4.0\n      alternatives: [{name: x, version: 1.0.0}]\n"}, ""},
	{"wrong plugins", []string{"- required_plugin_versions:\n    - name: container\n      version: 4\n"}, "f0:3:16: error: : \"4\" is no version: x.y.z\n"},

	{"output", []string{"- rule: R\n  desc: d\n  condition: a.b exists\n  priority: INFO\n  output: >\n    file=%fd.name and\n    (%proc)\n"},
		"f0:7:6: error: R: % has to be followed by the name of a field, such as %proc.name; found \"proc\"\n"},
	{"output that ends", []string{"- rule: R\n  desc: d\n  condition: a.b exists\n  priority: INFO\n  output: at 100%\n"},
		"f0:5:17: error: R: % has to be followed by the name of a field, such as %proc.name; found \"\"\n"},
	{"container.info", []string{"- rule: R\n  desc: d\n  condition: a.b exists\n  priority: INFO\n  output: x %container.info\n"},
		"R: a.b exists\nf0:5:13: warning: R: %container.info is deprecated and gives nothing: name the fields, such as %container.id\n"},
}

func TestLoad(t *testing.T) {
	for _, tt := range loads {
		if diff := cmp.Diff(tt.want, loaded(tt.files...)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", tt.name, diff)
		}
	}
}
