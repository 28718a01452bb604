package image

import (
	"fmt"
	"net/url"
	"path"
	"regexp"
	"strings"
	"sync"

	"bulwark"
	"bulwark/check/internal/misconfig"
)

// line is one step of the history, in the words of a Dockerfile.
type line struct {
	number int // from 1, empty layers counted
	text   string
	args   []string // build arguments that it was run with: NAME=value
	layer  string   // diffID; empty when it made none
	base   bool
}

// lines reads the history. Steps that made a layer are matched with the layers in order.
func lines(t *bulwark.Target) []line {
	out := make([]line, 0, len(t.Image.History))
	next := 0
	for i, h := range t.Image.History {
		l := line{number: i + 1}
		l.text, l.args = instruction(h.CreatedBy)
		if at := min(next, len(t.Layers)-1); at >= 0 {
			l.base = t.Layers[at].Base
			if !h.Empty && at == next {
				l.layer = t.Layers[at].DiffID
			}
		}
		if !h.Empty {
			next++
		}
		out = append(out, l)
	}
	return out
}

// instruction takes away what builders put around an instruction.
func instruction(s string) (text string, args []string) {
	s = strings.TrimSpace(strings.TrimSuffix(strings.TrimSpace(s), "# buildkit"))
	s, run := strings.CutPrefix(s, "RUN ")
	s, args = buildArgs(s)
	if before, nop, ok := strings.Cut(s, "#(nop)"); ok && len(strings.Fields(before)) < 8 { // behind whatever SHELL was then
		return strings.TrimSpace(nop), nil
	}
	rest, shell := strings.CutPrefix(s, "/bin/sh -c ")
	if run || shell || args != nil {
		return "RUN " + strings.TrimSpace(rest), args
	}
	return s, nil
}

// buildArgs reads "|2 A=1 B=2 /bin/sh -c ...". Values may hold spaces, so the shell
// ends the last one.
func buildArgs(s string) (rest string, args []string) {
	if !strings.HasPrefix(s, "|") {
		return s, nil
	}
	i := strings.Index(s, " /bin/")
	if i < 0 {
		return s, nil
	}
	words := strings.Fields(s[1:i])
	if len(words) == 0 {
		return s, nil
	}
	args = []string{}
	for _, w := range words[1:] {
		if strings.Contains(w, "=") {
			args = append(args, w)
		}
	}
	return s[i+1:], args
}

func (l *line) evidence() string {
	return fmt.Sprintf("history step %d: %s", l.number, credentials(l.text))
}

// place says where a finding about a step of the history holds.
func (l *line) place(f *bulwark.Finding) *bulwark.Finding {
	f.Layer, f.FromBase = l.layer, l.base
	return f
}

// last is the last step that begins with the instruction.
func (s *subject) last(word string) *line {
	for i := len(s.history) - 1; i >= 0; i-- {
		if w, _, _ := strings.Cut(s.history[i].text, " "); strings.EqualFold(w, word) {
			return &s.history[i]
		}
	}
	return nil
}

// said is the evidence of the last step that begins with the instruction, if any.
func (s *subject) said(first, word string) []string {
	if l := s.last(word); l != nil {
		return []string{first, l.evidence()}
	}
	return []string{first}
}

// steps judges the instructions in the history.
func (s *subject) steps() {
	seen := map[string]bool{}
	var copies []*line
	for i := range s.history {
		l := &s.history[i]
		for _, a := range l.args {
			name, value, _ := strings.Cut(a, "=")
			if secretName(name) && weak(value) && !seen[name] {
				seen[name] = true
				s.emit(l.place(argSecret.Finding("ARG "+name, "", fmt.Sprintf("history step %d was built with the argument %s", l.number, name))))
			}
		}
		s.piped(l)
		if updates(l.text) {
			s.emit(l.place(updateAlone.Finding("RUN update", "", l.evidence())))
		}
		if upgrades(l.text) && !seen["upgrade"] {
			seen["upgrade"] = true
			s.emit(l.place(osUpgrade.Finding("RUN upgrade", "", l.evidence())))
		}
		if word, rest, _ := strings.Cut(l.text, " "); strings.EqualFold(word, "ADD") {
			if s.added(l, rest) {
				copies = append(copies, l)
			}
		}
	}
	s.copies(copies)
}

// The expressions for downloads that are run: through a pipe to a shell, or to an interpreter
// that is given no program of its own; in a substitution.
var piping = sync.OnceValue(func() *regexp.Regexp {
	const fetch = `(?:curl|wget)\s`
	return regexp.MustCompile(`(?:^|[\s;&|(])(?:` +
		fetch + `(?:[^|;&]|&[^&])*\|&?\s*(?:sudo\s+(?:-\S+\s+)*)?(?:\w+=\S*\s+)*(?:/usr/bin/env\s+)?(?:/\S*/)?(?:(?:ba|z|da|a|k)?sh|(?:python[23.]*|perl|ruby|node)(?:\s+-)?\s*(?:$|[;&|)]))(?:\s|$|[;&|)])|` +
		`(?:eval|source|\.|(?:ba|z|da|a|k)?sh(?:\s+-\S+)*)\s+["']?(?:\$\(|<\(|\x60)\s*` + fetch + `[^)]*\)?)`)
})

var unsafely = sync.OnceValue(func() *regexp.Regexp {
	return regexp.MustCompile(`http://|\s--(?:insecure|no-check-certificate)\b|\bcurl\s(?:.*\s)?-[a-zA-Z]*k[a-zA-Z]*\s`)
})

// piped judges a step that runs what it downloads.
func (s *subject) piped(l *line) {
	if !strings.HasPrefix(l.text, "RUN ") || !strings.Contains(l.text, "curl") && !strings.Contains(l.text, "wget") {
		return
	}
	did := strings.Trim(piping().FindString(strings.Join(strings.Fields(l.text), " ")), " ;&|(")
	if did == "" {
		return
	}
	f := l.place(pipeToShell.Finding("RUN "+address(did), "", fmt.Sprintf("history step %d: %s", l.number, credentials(did))))
	if unsafely().MatchString(did) {
		pipeToShell.Rate(f, high)
	}
	s.emit(f)
}

// address is where a command fetches from, without what may be secret in it.
func address(command string) string {
	for _, w := range strings.Fields(command) {
		if w = strings.Trim(w, `"'()`+"`"); isRemote(w) {
			return credentials(w)
		}
	}
	return "download"
}

// updates tells whether a step fetches the lists of packages, and nothing else.
func updates(text string) bool {
	rest := strings.Join(strings.Fields(strings.TrimPrefix(text, "RUN ")), " ")
	switch strings.TrimSpace(strings.TrimPrefix(rest, "/bin/sh -c ")) {
	case "apt-get update", "apt-get update -y", "apt-get -y update", "apt-get update -qq", "apt-get -qq update", "apt update", "apt update -y", "apt -y update", "yum check-update", "dnf check-update", "apk update":
		return true
	}
	return false
}

var upgrading = sync.OnceValue(func() *regexp.Regexp {
	return regexp.MustCompile(`(?:^|[;&|]\s*|\s)(?:(?:apt|apt-get|aptitude)\s+(?:-\S+\s+)*(?:upgrade|dist-upgrade|full-upgrade)|(?:yum|dnf|microdnf|tdnf)\s+(?:-\S+\s+)*(?:update|upgrade)(?:\s+-\S+)*\s*(?:[;&|]|$)|zypper\s+(?:-\S+\s+)*(?:up|update|dup)|apk\s+(?:-\S+\s+)*upgrade(?:\s+-\S+)*\s*(?:[;&|]|$))`)
})

// upgrades tells whether a step upgrades the distribution.
func upgrades(text string) bool {
	return strings.HasPrefix(text, "RUN ") && (strings.Contains(text, "up")) && upgrading().MatchString(strings.Join(strings.Fields(text), " "))
}

const mostSteps = 20 // that one finding shows

// copies emits one finding for all ADD that COPY would do.
func (s *subject) copies(list []*line) {
	if len(list) == 0 {
		return
	}
	f := list[0].place(add.Finding("ADD", ""))
	for _, l := range list[:min(len(list), mostSteps)] {
		f.Evidence = append(f.Evidence, misconfig.Clean(l.evidence()))
		f.FromBase = f.FromBase && l.base
	}
	f.Count = len(list)
	s.emit(f)
}

// added judges one ADD: "src... dest", "file:HASH in dest"; it tells whether COPY serves.
func (s *subject) added(l *line, rest string) (copies bool) {
	words := strings.Fields(rest)
	checked := false
	for len(words) > 0 && strings.HasPrefix(words[0], "--") {
		checked = checked || strings.HasPrefix(words[0], "--checksum=")
		words = words[1:]
	}
	if len(words) < 2 {
		return false
	}
	sources, dest := words[:len(words)-1], words[len(words)-1]
	if words[len(words)-2] == "in" {
		sources = words[:len(words)-2]
	}
	for _, src := range sources {
		switch remote := isRemote(src); {
		case remote && !checked:
			f := l.place(addRemote.Finding("ADD "+credentials(src), "", l.evidence()))
			if strings.HasPrefix(src, "http://") {
				addRemote.Rate(f, high)
			}
			s.emit(f)
		case !remote && copied(src, dest):
			copies = true
		}
	}
	return copies
}

func isRemote(src string) bool {
	return strings.HasPrefix(src, "http://") || strings.HasPrefix(src, "https://")
}

var archive = sync.OnceValue(func() *regexp.Regexp {
	return regexp.MustCompile(`(?i)\.(tar|tgz|tbz2?|txz|tzst)$|\.tar\.\w+$|\.(gz|bz2|xz|zst)$`)
})

// copied tells whether ADD surely did what COPY does. The old builder names a file by
// its hash alone, which may have been an archive unless it became a file.
func copied(src, dest string) bool {
	switch {
	case strings.HasPrefix(src, "dir:"):
		return true
	case strings.HasPrefix(src, "file:"), strings.HasPrefix(src, "multi:"):
		ext := path.Ext(dest)
		return ext != "" && len(ext) < 6 && !strings.HasPrefix(path.Base(dest), ".") && !archive().MatchString(dest)
	case strings.HasPrefix(src, "git@"), strings.Contains(src, "://"), strings.ContainsAny(src, "$*"):
		return false
	}
	return !archive().MatchString(src) && src != "rootfs" && dest != "/"
}

var userinfo = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`(\w://)[^/\s@]+@`) })

// credentials takes user and password out of addresses, and the values of variables
// with the name of a secret.
func credentials(s string) string {
	if u, err := url.Parse(s); err == nil && u.Scheme != "" && u.Host != "" {
		u.User, u.RawQuery, u.Fragment = nil, "", ""
		return misconfig.Clean(u.String())
	}
	s = userinfo().ReplaceAllString(s, "$1")
	words := strings.Fields(s)
	for i, w := range words {
		if n, _, ok := strings.Cut(w, "="); ok && secretName(strings.TrimLeft(n, "-")) {
			words[i] = n + "=..."
		}
	}
	return strings.Join(words, " ")
}
