package lang

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// excepting is a rule with exceptions.
func excepting(lines ...string) string {
	return rule("R", "a.b = 1 or a.b = 2") + "  exceptions:\n    " + strings.Join(lines, "\n    ") + "\n"
}

var exceptions = []struct {
	name  string
	files []string
	want  string
}{
	{"none", []string{rule("R", "a.b = 1") + "  exceptions:\n"}, "R: a.b = 1\n"},
	{"no values", []string{excepting("- name: e", "  fields: [proc.name, fd.name]", "  comps: [=, startswith]")}, "R: a.b = 1 or a.b = 2\n"},
	{"tuples", []string{excepting("- name: e", "  fields: [proc.name, fd.name]", "  comps: [=, startswith]", "  values:", "  - [cat, /etc]", "  - ['a b', \"/x\"]")},
		`R: (a.b = 1 or a.b = 2) and not (proc.name = cat and fd.name startswith /etc or proc.name = "a b" and fd.name startswith /x)` + "\n"},
	{"tuples by default", []string{excepting("- name: e", "  fields: [proc.name, fd.name]", "  values: [[cat, /etc]]")},
		"R: (a.b = 1 or a.b = 2) and not (proc.name = cat and fd.name = /etc)\n"},
	{"tuples with lists", []string{"- list: l\n  items: [x, y]\n" + excepting("- name: e", "  fields: [proc.name, fd.name, proc.exe]", "  comps: [in, pmatch, in]", "  values:", "  - [[cat, l], l, '(a, \"b c\", l)']", "  - [l, (l), [d]]")},
		`R: (a.b = 1 or a.b = 2) and not (proc.name in (cat, x, y) and fd.name pmatch (x, y) and proc.exe in (a, "b c", x, y) or proc.name in (x, y) and fd.name pmatch (x, y) and proc.exe in (d))` + "\n"},
	{"one field in a list", []string{excepting("- name: e", "  fields: [proc.name]", "  comps: [contains]", "  values: [[cat], [dog]]")},
		"R: (a.b = 1 or a.b = 2) and not (proc.name contains cat or proc.name contains dog)\n"},
	{"one field", []string{excepting("- name: e", "  fields: proc.name", "  values: [cat, 'a b', 5]")},
		`R: (a.b = 1 or a.b = 2) and not proc.name in (cat, "a b", 5)` + "\n"},
	{"one field by prefix", []string{excepting("- name: e", "  fields: fd.name", "  comps: pmatch", "  values: [/etc]")},
		"R: (a.b = 1 or a.b = 2) and not fd.name pmatch (/etc)\n"},
	{"one field with a modifier", []string{excepting("- name: e", "  fields: proc.name", "  comps: startswith anyof", "  values: [kube-, etcd-]")},
		"R: (a.b = 1 or a.b = 2) and not proc.name startswith anyof (kube-, etcd-)\n"},
	{"tuples with a modifier", []string{excepting("- name: e", "  fields: [proc.name, fd.name]", "  comps: [startswith oneof, startswith]", "  values: [[[sshd, sudo], /etc/], [a, b]]")},
		"R: (a.b = 1 or a.b = 2) and not (proc.name startswith oneof (sshd, sudo) and fd.name startswith /etc/ or proc.name startswith oneof (a) and fd.name startswith b)\n"},
	{"several", []string{excepting("- {name: e, fields: proc.name, values: [cat]}", "- {name: f, fields: ['proc.aname[2]', evt.rawres], comps: [=, '>'], values: [[x, 5]]}")},
		"R: (a.b = 1 or a.b = 2) and not proc.name in (cat) and not (proc.aname[2] = x and evt.rawres > 5)\n"},
	{"values are appended", []string{excepting("- {name: e, fields: proc.name, values: [cat]}"),
		"- rule: R\n  exceptions:\n    - {name: e, values: [dog]}\n    - {name: f, fields: fd.name, values: [x]}\n  override: {exceptions: append}\n",
		"- rule: R\n  exceptions:\n    - {name: e, values: [cow]}\n  append: true\n"},
		"R: (a.b = 1 or a.b = 2) and not proc.name in (cat, dog, cow) and not fd.name in (x)\n" +
			"f2:4:3: warning: R: append is deprecated; override says of each part what becomes of it\n"},
	{"exceptions are replaced", []string{excepting("- {name: e, fields: proc.name, values: [cat]}"),
		"- rule: R\n  exceptions:\n    - {name: f, fields: fd.name, values: [x]}\n  override: {exceptions: replace}\n"},
		"R: (a.b = 1 or a.b = 2) and not fd.name in (x)\n"},
	{"a condition is appended", []string{excepting("- {name: e, fields: proc.name, values: [cat]}"), "- rule: R\n  condition: and a.c exists\n  override: {condition: append}\n"},
		"R: (a.b = 1 or a.b = 2 and a.c exists) and not proc.name in (cat)\n"},
	{"an append that is wrong changes nothing", []string{excepting("- {name: e, fields: proc.name, values: [cat]}"),
		"- rule: R\n  exceptions:\n    - {name: e, values: [dog]}\n    - {name: e2, values: [cow]}\n  override: {exceptions: append}\n"},
		"R: (a.b = 1 or a.b = 2) and not proc.name in (cat)\nf1:4:7: error: R: the exception \"e2\" has no fields\n"},

	{"no name", []string{excepting("- fields: proc.name")}, "f0:7:7: error: R: the exception has no name\n"},
	{"no fields", []string{excepting("- name: e")}, "f0:7:7: error: R: the exception \"e\" has no fields\n"},
	{"twice", []string{excepting("- {name: e, fields: proc.name, values: [cat]}", "- {name: e, fields: [fd.name], values: [[x]]}")},
		"R: (a.b = 1 or a.b = 2) and not proc.name in (cat) and not fd.name = x\nf0:8:7: warning: R: the exception \"e\" is given twice in rule \"R\"; both count\n"},
	{"no operator", []string{excepting("- {name: e, fields: [proc.name], comps: [is]}")}, "f0:7:46: error: R: \"is\" is no operator that an exception may have\n"},
	{"an operator of one value", []string{excepting("- {name: e, fields: proc.name, comps: startswith, values: [a]}")},
		"f0:7:43: error: R: the exception \"e\" of one field compares with a list: in, pmatch, intersects, or an operator with oneof, anyof or allof; not startswith\n"},
	{"too few comps", []string{excepting("- {name: e, fields: [proc.name, fd.name], comps: [=]}")}, "f0:7:54: error: R: the exception \"e\" has 2 fields, and needs a list of as many comps\n"},
	{"too few values", []string{excepting("- {name: e, fields: [proc.name, fd.name], values: [[a]]}")}, "f0:7:56: error: R: the exception \"e\" has 2 fields: each of its values is a list of as many\n"},
	{"no tuples", []string{excepting("- {name: e, fields: [proc.name, fd.name], values: [a]}")}, "f0:7:56: error: R: the exception \"e\" has 2 fields: each of its values is a list of as many\n"},
	{"tuples for one", []string{excepting("- {name: e, fields: proc.name, values: [[a]]}")}, "f0:7:45: error: R: the exception \"e\" has one field: its values are texts, not lists\n"},
	{"a list for =", []string{excepting("- {name: e, fields: [proc.name, fd.name], values: [[a, [b]]]}")}, "f0:7:60: error: R: = compares with one value, not with a list\n"},
	{"no field", []string{excepting("- {name: e, fields: proc, values: [a]}")}, "f0:7:25: error: R: expected a field or transformer, found \"proc\"\n"},
	{"no number", []string{excepting("- {name: e, fields: [evt.rawres], comps: ['<'], values: [[a]]}")}, "f0:7:63: error: R: < compares with a number, not with \"a\"\n"},
	{"an unknown key", []string{excepting("- {name: e, field: [evt.rawres]}")}, "f0:7:7: error: R: the exception \"e\" has no fields; is fields meant?\n"},
	{"an unknown key beside what is needed", []string{excepting("- {name: e, fields: [evt.rawres], value: [[1]]}")},
		"R: a.b = 1 or a.b = 2\nf0:7:39: warning: R: the exception \"e\" has no key \"value\"; is values meant?\n"},
	{"an unknown key in what is appended", []string{excepting("- {name: e, fields: proc.name, values: [cat]}"), "- rule: R\n  exceptions:\n    - {name: e, value: [dog]}\n  override: {exceptions: append}\n"},
		"R: (a.b = 1 or a.b = 2) and not proc.name in (cat)\nf1:3:7: warning: R: the exception \"e\" is appended without values\nf1:3:17: warning: R: the exception \"e\" has no key \"value\"; is values meant?\n"},
	{"no comps", []string{excepting("- {name: e, fields: [proc.name], comps: [], values: [[cat]]}")}, "R: (a.b = 1 or a.b = 2) and not proc.name = cat\n"},
	{"values that are nothing", []string{excepting("- name: e", "  fields: proc.name", "  values:")}, "f0:9:14: error: R: values of the exception \"e\" have to be a list\n"},
	{"values that are fields", []string{excepting("- name: e", "  fields: [proc.name, proc.exe]", "  values: [['toupper(proc.pname)', val(proc.pexe)], [proc.pname, 'toupper( proc.pname)']]")},
		`R: (a.b = 1 or a.b = 2) and not (proc.name = toupper(proc.pname) and proc.exe = val(proc.pexe) or proc.name = proc.pname and proc.exe = "toupper( proc.pname)")` + "\n"},
	{"a value that is half a transformer", []string{excepting("- {name: e, fields: [proc.name], values: [['toupper(proc.pname']]}")}, "f0:7:49: error: R: the parenthesis of toupper is not closed\n"},
	{"fields are appended", []string{excepting("- {name: e, fields: proc.name, values: [cat]}"), "- rule: R\n  exceptions:\n    - {name: e, fields: fd.name, values: [x]}\n  override: {exceptions: append}\n"},
		"R: (a.b = 1 or a.b = 2) and not proc.name in (cat)\nf1:3:7: error: R: the exception \"e\" is there already: only values can be appended, not fields or comps\n"},
	{"appended without values", []string{rule("R", "a.b = 1"), "- rule: R\n  exceptions:\n    - {name: e, fields: fd.name}\n  override: {exceptions: append}\n"},
		"R: a.b = 1\nf1:3:7: error: R: the exception \"e\" is appended without values\n"},
}

func TestExceptions(t *testing.T) {
	for _, tt := range exceptions {
		if diff := cmp.Diff(tt.want, loaded(tt.files...)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", tt.name, diff)
		}
	}
}
