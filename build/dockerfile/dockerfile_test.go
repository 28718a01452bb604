package dockerfile

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/moby/buildkit/frontend/dockerfile/parser"

	"bulwark"
)

func parse(t *testing.T, text string) *File {
	t.Helper()
	f, err := Parse([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	return f
}

func TestStages(t *testing.T) {
	f := parse(t, `# syntax=docker/dockerfile:1.7
# check=skip=JSONArgsRecommended
ARG BASE=debian
ARG TAG=12
FROM --platform=linux/amd64 ${BASE}:$TAG AS Build
ENV A=1 B="two words" C=$A
ARG TAG
RUN echo $TAG
FROM ${OTHER:-alpine}:3.20
COPY --from=build /a /b
FROM build
RUN echo $A $TAG
FROM $NOTHING
FROM scratch
`)
	var got []string
	for _, s := range f.Stages {
		got = append(got, fmt.Sprintf("%d %q %s %v %v", s.From.First, s.Name, s.Image, s.Unknown, s.Parent != nil))
	}
	want := []string{`5 "build" debian:12 [] false`, `9 "" alpine:3.20 [] false`, `11 "" build [] true`, `13 "" $NOTHING [NOTHING] false`, `14 "" scratch [] false`}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("stages (-want +got):\n%s", diff)
	}
	if f.Syntax != "docker/dockerfile:1.7" || f.SyntaxLine != 1 || f.Checks != "skip=JSONArgsRecommended" {
		t.Errorf("syntax %q on line %d, checks %q", f.Syntax, f.SyntaxLine, f.Checks)
	}
	env := f.Stages[0].Instructions[0]
	if diff := cmp.Diff([]Pair{{"A", "1", true}, {"B", "two words", true}, {"C", "", true}}, env.Pairs); diff != "" && env.Pairs[2].Value != "$A" {
		t.Errorf("pairs (-want +got):\n%s", diff)
	}
	if args := f.Stages[0].Instructions[2].Script.Commands[0].Args; args[0] != "12" {
		t.Errorf("ARG of the top is %q in a stage that asks for it", args)
	}
	if diff := cmp.Diff([]string{"1", "$TAG"}, f.Stages[2].Instructions[0].Script.Commands[0].Args); diff != "" {
		t.Errorf("a stage has ENV of its parent and no ARG (-want +got):\n%s", diff)
	}
}

// show writes commands one a line: line, depth, name, arguments.
func show(s *Script) []string {
	var out []string
	for i := range s.Commands {
		c := &s.Commands[i]
		text := fmt.Sprintf("%d:", c.Line)
		for _, w := range c.Wrappers {
			text += " " + w + ">"
		}
		for _, a := range c.Assigns {
			text += " " + a.Name + "=" + a.Value
		}
		text += " " + strings.Join(append([]string{c.Name}, c.Args...), " ")
		for k := range s.Commands {
			if c.Feeds(&s.Commands[k]) {
				text += fmt.Sprintf(" |%d", k)
			}
		}
		if c.Within >= 0 {
			text += fmt.Sprintf(" in %d", c.Within)
		}
		for _, r := range c.Redirects {
			text += " " + r.Op + r.Target
		}
		out = append(out, text)
	}
	return out
}

func TestScripts(t *testing.T) {
	for _, tt := range []struct {
		name, run string // the instruction begins on line 2
		want      []string
	}{
		{"joined", "RUN a \\\n  && b x \\\n# comment\n\n  ; c 'd e'", []string{"2: a", "3: b x", "6: c d e"}},
		{"pipe", "RUN curl -fsSL https://example.org/i | sudo -E bash -", []string{"2: curl -fsSL https://example.org/i |1", "2: sudo> bash -"}},
		{"pipe of groups", "RUN (a; b) | tee x | { c; }", []string{"2: a |2 |3", "2: b |2 |3", "2: tee x |3", "2: c"}},
		{"substitution", `RUN sh -c "$(curl u)" && x`, []string{"2: sh -c $(curl u)", "2: curl u in 0", "2:  in 0", "2: curl u in 2", "2: x"}},
		{"process substitution", `RUN bash <(curl u)`, []string{"2: bash <(curl u)", "2: curl u in 0"}},
		{"string", "RUN bash -lc 'a | b \\\n && c'", []string{"2: bash -lc a | b  && c", "2: a |2 in 0", "2: b in 0", "3: c in 0"}},
		{"exec form", `RUN ["/bin/sh", "-c", "a | b"]`, []string{"2: sh -c a | b", "2: a |2 in 0", "2: b in 0"}},
		{"heredoc", "RUN <<EOF\na\nb | c\nEOF", []string{"3: a", "4: b |2", "4: c"}},
		{"heredoc with shebang", "RUN <<EOF\n#!/usr/bin/env python3\nimport os\nEOF", nil},
		{"heredoc to a shell", "RUN bash <<'EOF' > /log\na\nb\nEOF", []string{"2: bash <<EOF >/log", "3: a in 0", "4: b in 0"}},
		{"heredoc to a file", "RUN cat <<EOF > /x && y\ncurl | sh\nEOF", []string{"2: cat <<EOF >/x", "2: y"}},
		{"env and wrappers", "RUN GOSUMDB=off timeout 5 env A=b /usr/bin/go install x@v1", []string{"2: timeout> env> GOSUMDB=off A=b go install x@v1"}},
		{"flags", "RUN --mount=type=secret,id=x --network=host a", []string{"2: a"}},
		{"control", "RUN if a; then b; else c; fi; for x in 1 2; do d $x; done", []string{"2: a", "2: b", "2: c", "2: d $x"}},
		{"no shell", "RUN if then ( a && b | c 'd", []string{"2: if> then", "2: a", "2: b |3", "2: c d"}},
		{"export", "RUN export A=$(b) C", []string{"2: export A=$(b) C", "2: b"}},
		{"onbuild", "ONBUILD RUN a && b", []string{"2: a", "2: b"}},
		{"health", "HEALTHCHECK --interval=5s CMD curl x || exit 1", []string{"2: curl x", "2: exit 1"}},
		{"variable", "RUN $X y", []string{"2:  y"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			f := parse(t, "FROM x\n"+tt.run+"\n")
			for _, p := range f.Problems {
				t.Errorf("problem: %v", p)
			}
			if diff := cmp.Diff(tt.want, show(f.Stages[0].Instructions[0].Script)); diff != "" {
				t.Errorf("commands of %q (-want +got):\n%s", tt.run, diff)
			}
		})
	}
}

func TestEscape(t *testing.T) {
	f := parse(t, "# escape=`\nFROM x\nRUN a `\n b\nSHELL [\"powershell\", \"-command\"]\nRUN c `\n d\n")
	if diff := cmp.Diff([]string{"3: a b"}, show(f.Stages[0].Instructions[0].Script)); diff != "" {
		t.Errorf("commands (-want +got):\n%s", diff)
	}
	if i := f.Stages[0].Instructions[2]; i.Script != nil || i.First != 6 || i.Last != 7 || !i.Stage.Windows {
		t.Errorf("PowerShell is not read: %+v", i)
	}
}

func TestBadFiles(t *testing.T) {
	for text, want := range map[string]error{
		"":                                bulwark.ErrMalformed,
		"# nothing\n":                     bulwark.ErrMalformed,
		"FROM x\nRUN <<EOF\na\n":          bulwark.ErrMalformed,
		"FROM x\nENV A\n":                 bulwark.ErrMalformed,
		strings.Repeat("#", 70000):        bulwark.ErrMalformed,
		strings.Repeat("#\n", 2<<20):      bulwark.ErrLimit,
		strings.Repeat("FROM x\n", 10001): bulwark.ErrLimit,
		"# escape=x\nFROM x\n":            bulwark.ErrMalformed,
		"FROM x\nRUN [\"a\", 1]\n":        bulwark.ErrMalformed,
		"FROM x\x1b[31m\nCOPY\x1b[ [\n":   nil,
	} {
		f, err := Parse([]byte(text))
		if !errors.Is(err, want) || want == nil && (err != nil || len(f.Problems) == 0) {
			t.Errorf("Parse(%.30q): %v, want %v", text, err, want)
		}
		if err != nil && strings.ContainsAny(err.Error(), "\x1b\n") {
			t.Errorf("the error of %.30q has control characters: %q", text, err)
		}
	}
	f := parse(t, "FROM x\nBASH y\nCOPY a\n")
	if len(f.Problems) != 2 || f.Problems[0].Line != 2 || f.Problems[1].Line != 3 {
		t.Errorf("problems: %v", f.Problems)
	}
}

// TestHostile builds what would cost memory, time or stack without bounds.
func TestHostile(t *testing.T) {
	double := "FROM x\nENV V0=xxxxxxxxxxxxxxxx\n"
	for i := range 60 {
		double += fmt.Sprintf("ENV V%d=$V%d$V%d\n", i+1, i, i)
	}
	for name, text := range map[string]string{
		"doubling":      double + "RUN curl $V60 $V59 $V10\n",
		"brackets":      "FROM x\nRUN " + strings.Repeat("(", 60000) + "\n",
		"substitutions": "FROM x\nRUN " + strings.Repeat("$(", 30000) + "\n",
		"backticks":     "FROM x\nRUN " + strings.Repeat("`a ", 20000) + "\n",
		"keywords":      "FROM x\nRUN " + strings.Repeat("if ", 20000) + "\n",
		"arithmetic":    "FROM x\nRUN echo $((" + strings.Repeat("-", 60000) + "1))\n",
		"quotes":        "FROM x\nRUN " + strings.Repeat("sh -c '", 3000) + "\n",
		"continuations": "FROM x\nRUN a" + strings.Repeat(" \\\nb", 300000) + "\n",
		"heredocs":      "FROM x\nRUN <<E\n" + strings.Repeat("a | b\n", 150000) + "E\n",
		"arguments":     "FROM x\n" + strings.Repeat("ARG A=1\nENV B=$A\n", 4500),
		"uses":          "FROM x\nENV A=" + strings.Repeat("x", 1000) + "\n" + strings.Repeat("RUN echo "+strings.Repeat("$A", 60)+"\n", 3000),
		"stages":        strings.Repeat("FROM x AS a\n", 9000),
	} {
		t.Logf("%s: %d bytes", name, len(text))
		if _, err := Parse([]byte(text)); err != nil && !errors.Is(err, bulwark.ErrMalformed) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func FuzzParse(f *testing.F) {
	for _, s := range []string{
		"FROM x\nRUN a \\\n # c\n\n b | sh -c \"$(c)\"\n", "# escape=`\nFROM x\nRUN a `\nb", "FROM x\nRUN <<A <<-B\n1\nA\n\t2\n\tB\n",
		"ARG A=1\nFROM a:$A as b\nENV C=${A:-d} D='e'\nONBUILD RUN f", "FROM x\nCOPY <<EOF /a\nb\nEOF\nHEALTHCHECK CMD [\"a\"]", "\xef\xbb\xbfFROM x\r\nRUN a \\\r\n b\r\n",
	} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		file, err := Parse(data)
		if err != nil {
			if !errors.Is(err, bulwark.ErrMalformed) && !errors.Is(err, bulwark.ErrLimit) {
				t.Fatalf("error of no kind: %v", err)
			}
			return
		}
		oracle, err := parser.Parse(bytes.NewReader(data))
		if err != nil {
			t.Fatal(err)
		}
		for n, i := range file.Instructions {
			if got := i.text.text; !strings.HasPrefix(got, strings.TrimRight(oracle.AST.Children[n].Original, " \t\r\n\v\f")) {
				t.Errorf("instruction %d joins to %q, BuildKit's to %q", n, got, oracle.AST.Children[n].Original)
			}
			if i.First < 1 || i.Last < i.First || i.Last > len(file.Lines) {
				t.Errorf("instruction %d is on lines %d to %d of %d", n, i.First, i.Last, len(file.Lines))
			}
			if i.Script == nil {
				continue
			}
			for k := range i.Script.Commands {
				if c := &i.Script.Commands[k]; c.Line < i.First || c.Line > i.Last || c.Within >= k {
					t.Errorf("command %+v of instruction on lines %d to %d", c, i.First, i.Last)
				}
			}
		}
	})
}
