//go:build linux

package hostile

import (
	"fmt"
	"io"
	"strings"
	"testing"
)

// buildCase is a file that says how something is built, and is bad.
type buildCase struct {
	path, text, more string
	times            int
	tail             string
	note             string // "": the report may be complete
}

// numbered makes a text of n numbered pieces.
func numbered(n int, format string) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, format, i, i+1)
	}
	return b.String()
}

// bomb is YAML of which each level holds the one below nine times.
func bomb(levels int, in string) string {
	var b strings.Builder
	b.WriteString("x0: &x0 [a,a,a,a,a,a,a,a,a]\n")
	for i := range levels {
		fmt.Fprintf(&b, "x%d: &x%d [%s]\n", i+1, i+1, strings.TrimSuffix(strings.Repeat(fmt.Sprintf("*x%d,", i), 9), ","))
	}
	return b.String() + fmt.Sprintf(in, levels)
}

// TestBuildFiles: each bad file lies beside a Dockerfile that adds a token and runs what it
// fetches, and beside settings with a token: they are found whatever becomes of it.
func TestBuildFiles(t *testing.T) {
	t.Parallel()
	const workflow = ".github/workflows/bad.yml"
	for name, c := range map[string]buildCase{
		"Dockerfile of 50 MB":      {path: "bad.Dockerfile", text: "FROM a\n", more: "RUN apt-get install x\n", times: 50 << 20 / 22, note: "limit exceeded"},
		"Dockerfile of one line":   {path: "bad.Dockerfile", text: "FROM a\nRUN ", more: "echo x && ", times: 100_000, tail: "true\n"},
		"continued for ever":       {path: "bad.Dockerfile", text: "FROM a\nRUN x ", more: "\\\n", times: 400_000},
		"a million instructions":   {path: "bad.Dockerfile", text: "FROM a\n", more: "USER x\n", times: 140_000, note: "limit exceeded"},
		"10,000 stages":            {path: "bad.Dockerfile", text: numbered(9999, "FROM s%d AS s%d\n")},
		"stages of themselves":     {path: "bad.Dockerfile", text: "FROM a AS a\nFROM a AS a\nCOPY --from=a / /\nFROM b AS b\nCOPY --from=b / /\n"},
		"heredoc without end":      {path: "bad.Dockerfile", text: "FROM a\nRUN <<EOF\n", more: "curl x | y\n", times: 50_000},
		"many heredocs":            {path: "bad.Dockerfile", text: "FROM a\nRUN " + strings.Repeat("<<E ", 5000) + "\n", more: "E\n", times: 5000},
		"arguments in arguments":   {path: "bad.Dockerfile", text: "ARG A0=xxxxxxxxxx\n" + numbered(3000, "ARG A%[2]d=${A%[1]d}${A%[1]d}${A%[1]d}\n") + "FROM $A3000\n"},
		"argument of itself":       {path: "bad.Dockerfile", text: "ARG A=$A$A\nARG A=$A$A\nFROM $A\nENV B=$B$B C=$B$A\nENV B=$C$C C=$B$B\nRUN $A $B $C\n"},
		"deep shell":               {path: "bad.Dockerfile", text: "FROM a\nRUN ", more: "$(", times: 30_000, tail: "\n"},
		"deep expansion":           {path: "bad.Dockerfile", text: "FROM a\nRUN echo ", more: "${a:-", times: 20_000, tail: "\n"},
		"deep quotes":              {path: "bad.Dockerfile", text: "FROM a\nRUN sh -c ", more: `"sh -c '`, times: 20_000, tail: "\n"},
		"pipes":                    {path: "bad.Dockerfile", text: "FROM a\nRUN curl x ", more: "| sh ", times: 60_000, tail: "\n"},
		"deep JSON":                {path: "bad.Dockerfile", text: "FROM a\nCMD ", more: "[", times: 900_000, tail: "\n"},
		"triggers in triggers":     {path: "bad.Dockerfile", text: "FROM a\n", more: "ONBUILD ", times: 100_000, tail: "RUN x\n"},
		"invalid UTF-8":            {path: "bad.Dockerfile", text: "FROM a\nRUN curl \xff\xfe\x00\x1b[31m | sh\nENV \xff=\xff\nLABEL a=\"\x9b\"\nUSER \u202e\n"},
		"zeros":                    {path: "bad.Dockerfile", more: "\x00", times: 1_000_000, note: "malformed"},
		"ignore of 50 MB":          {path: ".dockerignore", more: "*/**/x\n", times: 50 << 20 / 7, note: "limit exceeded"},
		"ignore that is slow":      {path: ".dockerignore", more: "**/a*a*a*a*a*a*a*a*a*b/**\n", times: 30_000},
		"compose of 50 MB":         {path: "compose.yaml", text: "services:\n", more: "  a: {image: x}\n", times: 50 << 20 / 16, note: "limit exceeded"},
		"compose bomb":             {path: "compose.yaml", text: bomb(12, "services:\n  a: {image: b, environment: *x%d}\n")},
		"bomb of merges":           {path: "compose.yaml", text: "x0: &x0 {a: 1}\n" + numbered(60, "x%[2]d: &x%[2]d {<<: [*x%[1]d, *x%[1]d, *x%[1]d, *x%[1]d], k%[1]d: 1}\n") + "services:\n  a: {<<: *x60, image: b}\n"},
		"merge of itself":          {path: "compose.yaml", text: "services:\n  a: &a {<<: *a, image: b}\n  b: &b\n    <<: [*a, *b]\n"},
		"alias of itself":          {path: "compose.yaml", text: "a: &a [*a, *a]\nservices: &s {x: *s}\n"},
		"extends in a ring":        {path: "compose.yaml", text: "services:\n  a: {extends: b}\n  b: {extends: c}\n  c: {extends: {service: a}}\n  d: {extends: d}\n"},
		"extends 500 deep":         {path: "compose.yaml", text: "services:\n" + numbered(500, "  s%d: {extends: s%d}\n")},
		"outside":                  {path: "compose.yaml", text: "include: [../outside/compose.yaml, /etc/passwd]\nservices:\n  a: {extends: {file: ../outside/compose.yaml, service: leak}}\n  b: {env_file: ../outside/app.env, image: b}\n"},
		"values in values":         {path: "compose.yaml", text: "services:\n  a:\n    image: \"", more: "${A:-", times: 100_000, tail: "\"\n"},
		"values of nothing":        {path: "compose.yaml", text: "services:\n  a:\n    image: \"", more: "$", times: 900_000, tail: "\"\n"},
		"ports":                    {path: "compose.yaml", text: "services:\n  a:\n    ports:\n", more: "      - 1-65535:1-65535\n", times: 40_000},
		"deep lists":               {path: "compose.yaml", text: "services: ", more: "[", times: 500_000},
		"deep mappings":            {path: "compose.yaml", text: "services: ", more: "{a: ", times: 100_000},
		"deep by indentation":      {path: "compose.yaml", text: "services:\n", more: "- ", times: 200_000},
		"a million documents":      {path: "compose.yaml", more: "---\n", times: 250_000},
		"YAML without UTF-8":       {path: "compose.yaml", text: "services: \xff\xfe\n", note: "malformed"},
		"workflow bomb":            {path: workflow, text: bomb(12, "on: push\njobs:\n  a: {runs-on: *x%d, steps: [{run: x}]}\n")},
		"workflow of 50 MB":        {path: workflow, text: "on: push\njobs:\n", more: "  a: {steps: []}\n", times: 50 << 20 / 17, note: "limit exceeded"},
		"100,000 steps":            {path: workflow, text: "on: pull_request_target\njobs:\n  a:\n    steps:\n", more: "    - run: x\n", times: 70_000},
		"expressions":              {path: workflow, text: "on: pull_request_target\njobs:\n  a:\n    steps:\n    - run: \"", more: "${{ github.event.issue.title }}", times: 30_000, tail: "\"\n"},
		"expressions without end":  {path: workflow, text: "on: push\njobs:\n  a:\n    steps:\n    - run: \"", more: "${{ ((", times: 100_000, tail: "\"\n"},
		"jobs that need another":   {path: workflow, text: "on: push\njobs:\n" + numbered(900, "  j%d: {needs: j%d, runs-on: x, steps: []}\n")},
		"GitLab bomb":              {path: ".gitlab-ci.yml", text: bomb(12, "job: {script: *x%d}\n")},
		"GitLab extends in a ring": {path: ".gitlab-ci.yml", text: "a: {extends: b, script: x}\nb: {extends: [a, b], script: y}\n"},
		"GitLab references":        {path: ".gitlab-ci.yml", text: "a:\n  script: !reference [a, script]\nb:\n  script: [!reference [b, script], !reference [../../outside]]\n"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := newRoom(t)
			r.spill("src/"+c.path, func(w io.Writer) {
				write(t, w, []byte(c.text))
				if c.times > 0 {
					fillWith(t, w, c.more, int64(len(c.more)*c.times))
				}
				write(t, w, []byte(c.tail))
			})
			r.put("src/good/Dockerfile", []byte("FROM debian:12\nRUN curl https://example.com/x | "+"sh\n"))
			r.put("src/small.env", []byte(planted(7)))
			r.put("outside/compose.yaml", []byte("services:\n  leak: {privileged: true, image: outside-image}\n"))
			r.put("outside/app.env", []byte(planted(8)))
			res := r.inside("dir:"+r.path("in", "src"), "--hygiene")
			res.mustFind(t, "small.env", 7)
			if !at(res, "good/Dockerfile") {
				t.Errorf("nothing about the good Dockerfile; exit code %d, notes %.500v", res.code, res.report.Notes)
			}
			if res.code != 0 && res.code != 4 || c.note != "" && (res.code != 4 || !res.noted(c.note)) {
				t.Errorf("exit code %d, want a note that says %q: %.1000v", res.code, c.note, res.report.Notes)
			}
			if strings.Contains(res.stdout, "outside-image") || res.finds("", 8) {
				t.Errorf("something outside of the folder was read")
			}
			if n := len(res.report.Findings); n > 5000 || len(res.stdout) > 20<<20 {
				t.Errorf("%d findings, %d bytes", n, len(res.stdout))
			}
		})
	}
}

// at tells whether there is a finding of misconfiguration at a path.
func at(res *result, path string) bool {
	for i := range res.report.Findings {
		if f := &res.report.Findings[i]; f.Path == path && f.Kind == "misconfig" {
			return true
		}
	}
	return false
}

// TestThousandBuildFiles: the documents of a project that is full of them stay bounded.
func TestThousandBuildFiles(t *testing.T) {
	t.Parallel()
	r := newRoom(t)
	big := "FROM debian:12\n" + strings.Repeat("# something that is long enough to be counted\n", 21_000)
	for i := range 300 {
		r.put(fmt.Sprintf("src/%d/Dockerfile", i), []byte(big))
	}
	r.put("src/+small.env", []byte(planted(7)))
	r.most = maxRSS
	res := r.inside("dir:" + r.path("in", "src"))
	res.mustFind(t, "+small.env", 7)
	if res.code != 0 && !res.noted("limit exceeded") {
		t.Errorf("exit code %d, %.1000v", res.code, res.report.Notes)
	}
}
