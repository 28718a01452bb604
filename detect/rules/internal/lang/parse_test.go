package lang

import (
	"fmt"
	"strings"
	"testing"
)

// parsed is a condition as it is read and written again, or what is wrong with it and in which byte.
func parsed(s string) string {
	src := newSource(0, s, 0)
	n := text{s: s, segs: []segment{{0, &locator{src: src, value: s, begin: mark{0, 1, 1}, now: mark{0, 1, 1}}}}}
	e, err := parseCondition(&n)
	if err != nil {
		at := err.(*syntaxError).pos
		return fmt.Sprintf("%d:%d: %v", at.Line, at.Column, err)
	}
	return Print(e, false, 1<<20)
}

// A condition that is written as it is read stands once.
var conditions = []struct{ in, want string }{
	{"a", ""},
	{"a or b and c", ""},
	{"(a or b) and c", ""},
	{"a and (b and c)", ""},
	{"(a)", "a"},
	{"((a or ((b))))", "a or b"},
	{"a or b or c", ""},
	{"not a", ""},
	{"not not a", "a"},
	{"not not not a", "not a"},
	{"not(a or b)", "not (a or b)"},
	{"not (not a)", "a"},
	{"not(not(a))", "a"},
	{"a and(b or c)or(d)", "a and (b or c) or d"},
	{"a\n and\tnot\r\nb", "a and not b"},
	{"not_x and nota and order or android", "not_x and nota and order or android"},
	{"proc.name exists", ""},
	{"not proc.name exists and a", ""},
	{"proc.name = bash", ""},
	{"proc.name=bash", "proc.name = bash"},
	{"proc.name==bash", "proc.name = bash"},
	{"proc.name!=bash", "proc.name != bash"},
	{"proc.name != \"a b\"", ""},
	{"proc.name='a b'", `proc.name = "a b"`},
	{`proc.name = 'say "x"'`, `proc.name = "say \"x\""`},
	{`proc.name = "a\\b\/\n\t\r\b\f\""`, `proc.name = "a\\b/\n\t\r\b\f\""`},
	{`proc.name = 'it\'s'`, `proc.name = "it's"`},
	{`proc.name = "a\ b"`, `proc.name = "a\\b"`},
	{`proc.name = ""`, ""},
	{`proc.cmdline contains "("`, ""},
	{`proc.cmdline contains -c'`, "1:25: a quote in the middle of a value: the whole value has to be in quotes"},
	{"evt.rawres < 0", ""},
	{"evt.rawres<=-1", "evt.rawres <= -1"},
	{"evt.rawres > +5", ""},
	{"evt.rawres>=0x1F", "evt.rawres >= 0x1F"},
	{"evt.rawres > 1.5e+10", ""},
	{"evt.rawres < limit", ""},
	{"evt.buffer bcontains 4142", ""},
	{"evt.buffer bstartswith 7f454c46", ""},
	{"fd.name contains /etc", ""},
	{"fd.name endswith .so", ""},
	{"fd.name glob /etc/*.conf", ""},
	{"fd.name icontains TMP", ""},
	{"fd.name iglob *.SO", ""},
	{"fd.name startswith /etc/", ""},
	{"fd.name regex '^/etc/[a-z]+$'", `fd.name regex "^/etc/[a-z]+$"`},
	{"fd.name regex\n'x'", `fd.name regex "x"`},
	{"fd.name in (a, b,c ,d)", "fd.name in (a, b, c, d)"},
	{"fd.name in(a)", "fd.name in (a)"},
	{"fd.name in ()", ""},
	{"fd.name in ( )", "fd.name in ()"},
	{"fd.name in shells", "fd.name in (shells)"},
	{`fd.name in ("a b", 'c', "(d)")`, `fd.name in ("a b", "c", "(d)")`},
	{"fd.name pmatch (/etc, /usr)", ""},
	{"proc.args intersects (-a, -b)", ""},
	{"ka.req.pod.host_pid intersects (true)", ""},
	{"proc.name startswith oneof (a, b)", ""},
	{"proc.name = anyof (a, b)", ""},
	{"proc.name != allof (a, b) and c", ""},
	{"proc.name==anyof(a,b)", "proc.name = anyof (a, b)"},
	{"proc.name regex anyof (\"^a$\", \"^b$\")", ""},
	{"proc.name glob allof ()", ""},
	{"proc.name contains anyof words", "proc.name contains anyof (words)"},
	{"proc.name = oneof", ""},
	{"proc.name = oneof and a", ""},
	{"proc.aname[2] = bash", ""},
	{"evt.arg[0] = x", ""},
	{"jevt.value[/a/b~1c] = x", ""},
	{`ka.uri.param["a b"] = x`, ""},
	{`container.mount.dest[/proc*] exists`, ""},
	{`proc.env["A"] = x`, `proc.env[A] = x`},
	{"tolower(proc.name) = bash", ""},
	{"toupper( basename( proc.exe ) )=BASH", "toupper(basename(proc.exe)) = BASH"},
	{"b64(evt.buffer) contains secret", ""},
	{"len(proc.cmdline) > 1000", ""},
	{"len(fd.name) in (1, 2)", ""},
	{`join(",", (proc.name, tolower(proc.pname), "x", 5)) = a`, ""},
	{`join("", ()) exists`, ""},
	{`concat(proc.name, ":", proc.pname) = "a:b"`, ""},
	{`getopt(proc.args, "a:b") exists`, ""},
	{"proc.name = val(proc.pname)", ""},
	{"proc.name = val( proc.aname[2] )", "proc.name = val(proc.aname[2])"},
	{"tolower(proc.name) = tolower(proc.pname)", ""},
	{"proc.name in val(proc.args)", ""},
	{"len(proc.name) > len(proc.pname)", ""},
	{"proc.name = val", ""},
	{"proc.name = tolower", ""},
	{"evt.type in (open,openat) and evt.is_open_write=true and not (a or b) or c", "evt.type in (open, openat) and evt.is_open_write = true and not (a or b) or c"},
	{"fd.sip = \"10.0.0.0/8\"", ""},
	{"ka.uri startswith /healthz?", ""},
	{"evt.dir=< and evt.dir=>", "evt.dir = < and evt.dir = >"},
	{"evt.dir != < or evt.dir==<", "evt.dir != < or evt.dir = <"},
	{"proc.name!=\"<NA>\"", "proc.name != \"<NA>\""},
	{`proc.cmdline startswith "sh -c \"/run/x\" y"`, ""},
	{"fd.name contains '/.ssh/' and fd.name glob '/home/*/.ssh/*'", `fd.name contains "/.ssh/" and fd.name glob "/home/*/.ssh/*"`},
	{"proc.aname[3] startswith omsagent- or\n     proc.pname=secureFiles.sh", "proc.aname[3] startswith omsagent- or proc.pname = secureFiles.sh"},
	{"ka.user.name=system:anonymous and ka.auth.decision=\"allow\"", "ka.user.name = system:anonymous and ka.auth.decision = \"allow\""},
	{"jevt.value[/requestObject/spec/volumes/0/name] exists", ""},
	{`(proc.args contains "\ " or proc.args endswith \)`, `proc.args contains "\\" or proc.args endswith \`},
	{"proc.args = ''", `proc.args = ""`},
	{"proc.name in (omiagent,in_heartbeat_r*,runc:[1:CHILD])", "proc.name in (omiagent, in_heartbeat_r*, runc:[1:CHILD])"},
	{`not container.mount.dest[/proc*] in ("<NA>","N/A")`, `not container.mount.dest[/proc*] in ("<NA>", "N/A")`},
	{"(a or b)\nand not c", "(a or b) and not c"},
	{"evt.rawres >= 0 or evt.res != -1", ""},

	{"", "1:1: a condition is missing at the end"},
	{"  ", "1:1: a condition is missing at the end"},
	{"a and", "1:6: a condition is missing at the end"},
	{"a or or b", `1:6: a condition is missing before "or"`},
	{"and a", `1:1: a condition is missing before "and"`},
	{"a b", `1:3: expected "and", "or" or the end, found "b"`},
	{"a AND b", "1:3: AND is written and"},
	{"a && b", "1:3: && is written and"},
	{"a || b", "1:3: || is written or"},
	{"a)", "1:2: this ) closes nothing"},
	{"a and (b or (c)", "1:7: this ( is not closed"},
	{"(a b)", `1:4: expected "and", "or" or the end, found "b"`},
	{"()", `1:2: expected a field, macro or parenthesis, found ")"`},
	{"proc.name", "1:10: an operator is missing at the end"},
	{"proc.name bash", `1:11: "bash" is no operator`},
	{"proc.name containz x", `1:11: "containz" is no operator; is contains meant?`},
	{"proc.name starts_with x", `1:11: "starts_with" is no operator; is startswith meant?`},
	{"proc.name ~ x", `1:11: expected an operator, found "~"`},
	{"proc.name =", `1:12: what to compare with is missing behind "="`},
	{"proc.name = )", `1:13: expected a value, found ")"`},
	{"proc.name = (a, b)", "1:13: this operator compares with one value; a list needs in, intersects, pmatch, or anyof, oneof or allof before it"},
	{"proc.name in", `1:13: what to compare with is missing behind "in"`},
	{"proc.name in (a, b", "1:14: this ( is not closed"},
	{"proc.name in (a b)", `1:17: expected "," or ")", found "b"`},
	{"proc.name in (a,)", `1:17: expected a value, found ")"`},
	{"proc.name in (,a)", `1:15: expected a value, found ","`},
	{"proc.pid > abc-d", `1:12: > compares with a number, not with "abc-d"`},
	{"proc.pid > 5x", `1:12: > compares with a number, not with "5x"`},
	{`proc.pid > "5"`, `1:12: > compares with a number, not with "5"`},
	{`proc.name = "a`, `1:13: the quote " is not closed`},
	{`proc.name = "a\qb"`, `1:15: "\q" is no escape; in quotes \\ \/ \b \f \n \r \t and the quote itself are`},
	{`proc.name = "it\'s"`, `1:16: "\'" is no escape; in quotes \\ \/ \b \f \n \r \t and the quote itself are`},
	{`"x" = proc.name`, "1:1: expected a field, macro or parenthesis; a text alone is no condition"},
	{"proc.aname[ = x", "1:11: proc.aname[ has to be followed by a text, and ]"},
	{"proc.aname[] = x", "1:11: proc.aname[ has to be followed by a text, and ]"},
	{"proc.aname[2 = x", "1:11: this [ is not closed, or there are blanks or quotes in it that do not belong there"},
	{"tolowr(proc.name) = x", `1:1: "tolowr" is no transformer; is tolower meant?`},
	{"tolower(proc.name = x", "1:1: the parenthesis of tolower is not closed"},
	{"tolower(proc.name, proc.exe) = x", "1:1: tolower has 2 arguments, and may have 1"},
	{`tolower("x") = x`, "1:1: tolower is of a field or transformer, not of a text"},
	{"tolower() = x", `1:9: expected a field or transformer, found ")"`},
	{"tolower(bash) = x", `1:9: expected a field or transformer, found "bash"`},
	{"val(proc.name) = x", "1:1: val() stands on the right side of a comparison only"},
	{"proc.name = val(bash)", "1:17: val() is of a field"},
	{"proc.name = val(proc.exe", "1:13: the parenthesis of val is not closed"},
	{"a and\n  proc.name is b", `2:13: "is" is no operator`},
	{"é and a", `1:1: expected a field, macro or parenthesis, found "\u00e9"`},
	{"a and \x1b[31m", `1:7: expected a field, macro or parenthesis, found "\x1b[31m"`},
	{"a.b. = x", `1:4: expected an operator, found "."`},
}

func TestConditions(t *testing.T) {
	for _, tt := range conditions {
		want := tt.want
		if want == "" && tt.in != "" {
			want = tt.in
		}
		if got := parsed(tt.in); got != want {
			t.Errorf("%q:\n got %s\nwant %s", tt.in, got, want)
		}
	}
}

func TestDepth(t *testing.T) {
	for _, unit := range []string{"(", "not(", "not not(", "tolower(", "a and(", "a or not ("} {
		for _, n := range []int{10_000, 1_000_000} {
			if got := parsed(strings.Repeat(unit, n)); !strings.HasSuffix(got, "nested deeper than 500") {
				t.Errorf("%d %s: %.100s", n, unit, got)
			}
		}
	}
	deep := strings.Repeat("(", maxDepth) + "a" + strings.Repeat(")", maxDepth)
	if got := parsed(deep); got != "a" {
		t.Error(got)
	}
	if got := parsed(strings.Repeat("not ", 1_000_001) + "a"); got != "not a" {
		t.Error(got)
	}
}

func FuzzCondition(f *testing.F) {
	for _, tt := range conditions {
		f.Add(tt.in)
	}
	f.Fuzz(func(t *testing.T, s string) {
		if len(s) > 10_000 {
			return
		}
		src := newSource(0, s, 0)
		n := text{s: s, segs: []segment{{0, &locator{src: src, value: s, begin: mark{0, 1, 1}, now: mark{0, 1, 1}}}}}
		e, err := parseCondition(&n)
		if err != nil {
			if p := err.(*syntaxError).pos; p.Line < 1 || p.Column < 1 {
				t.Fatalf("%q: an error at %v", s, p)
			}
			return
		}
		once := Print(e, false, 1<<20)
		if again := parsed(once); again != once {
			t.Fatalf("%q is written %q and that %q", s, once, again)
		}
	})
}
