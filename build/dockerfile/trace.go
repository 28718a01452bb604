package dockerfile

import (
	"fmt"
	"path"
	"slices"
	"strings"

	"bulwark"
)

const mostTraced = 100 // stages that are tried

// Trace tells which instruction made each line of an image's history, as BuildKit, the
// classic builder, Podman and kaniko write them; nil for lines of the base image. The last
// stage is tried first, then the others: an image may be built from any. The history must
// end in all instructions of the stage, each with what it says: when it does not, the file
// is not the one that the image was built from, or was changed since, and the error, which
// wraps [bulwark.ErrNotFound], names the first line from the end of the last stage that is not there.
func (f *File) Trace(history []string) (*Stage, []*Instruction, error) {
	lines := make([]step, len(history))
	for i, h := range history {
		lines[i] = stepOf(h)
	}
	var first error
	for n := len(f.Stages) - 1; n >= max(0, len(f.Stages)-mostTraced); n-- {
		made, err := trace(f.Stages[n], lines)
		if err == nil {
			return f.Stages[n], made, nil
		}
		if first == nil {
			first = err
		}
	}
	if first == nil {
		first = fmt.Errorf("the file has no stages: %w", bulwark.ErrNotFound)
	}
	return nil, nil, first
}

// step is a line of a history in the words of a Dockerfile.
type step struct {
	name, rest string
	text       string // RUN: what the shell was given, blanks taken out
}

// stepOf takes away what builders put around an instruction.
func stepOf(s string) step {
	s = strings.TrimSpace(strings.TrimSuffix(strings.TrimSpace(s), "# buildkit"))
	if shell, nop, ok := strings.Cut(s, "#(nop)"); ok && len(strings.Fields(shell)) <= mostOfShell {
		s = strings.TrimSpace(nop) // behind whatever SHELL was then
	} else if strings.HasPrefix(s, "|") || strings.HasPrefix(s, "/bin/") || strings.HasPrefix(s, "/usr/bin/") {
		s = "RUN " + s
	}
	name, rest, _ := strings.Cut(s, " ")
	st := step{name: strings.ToLower(name), rest: strings.TrimSpace(rest)}
	if !known[st.name] {
		st = step{name: "run", rest: s} // the classic builder and the exec form
	}
	if st.name == "run" {
		st.text = squeeze(st.rest)
	}
	return st
}

const mostOfShell = 8 // words

var known = map[string]bool{"add": true, "arg": true, "cmd": true, "copy": true, "entrypoint": true, "env": true, "expose": true, "healthcheck": true, "label": true,
	"maintainer": true, "onbuild": true, "run": true, "shell": true, "stopsignal": true, "user": true, "volume": true, "workdir": true}

// squeeze takes out blanks, which builders join lines with as they like, and what ends a
// line that goes on.
func squeeze(s string) string {
	return strings.NewReplacer(" ", "", "\t", "", "\n", "", "\r", "", "\\", "", "`", "").Replace(s)
}

// trace lays the instructions of a stage on the end of the history, the last first.
func trace(s *Stage, lines []step) ([]*Instruction, error) {
	want, root := chain(s)
	if len(want) == 0 {
		return nil, fmt.Errorf("line %d begins a stage without instructions: %w", s.From.First, bulwark.ErrNotFound)
	}
	made := make([]*Instruction, len(lines))
	at := len(lines) - 1
	for ; at >= 0 && lines[at].name == "label" && want[len(want)-1].Name != "label"; at-- { // given to the build by --label
	}
	for k := len(want) - 1; k >= 0; k-- {
		i := want[k]
		fits := at >= 0 && i.made(&lines[at])
		switch {
		case fits:
			made[at] = i
			at--
		case i.Name == "arg": // some builders keep none of them
		default:
			return nil, fmt.Errorf("line %d (%s) is not in the history where it should be: %w", i.First, strings.ToUpper(i.Name), bulwark.ErrNotFound)
		}
	}
	if root.Image == "scratch" && at >= 0 {
		return nil, fmt.Errorf("the history has %d lines before those of the stage, which begins with nothing: %w", at+1, bulwark.ErrNotFound)
	}
	return made, nil
}

// chain lists what a stage and those that it is built from do, and the first of them.
func chain(s *Stage) (list []*Instruction, root *Stage) {
	stages := []*Stage{s}
	for ; s.Parent != nil; s = s.Parent {
		stages = append(stages, s.Parent)
	}
	for _, one := range slices.Backward(stages) {
		list = append(list, one.Instructions...)
	}
	return list, s
}

// made tells whether the instruction made the step.
func (i *Instruction) made(s *step) bool {
	if i.OnBuild {
		return s.name == "onbuild"
	}
	if i.Name != s.name {
		return false
	}
	switch i.Name {
	case "run":
		return i.ran(s.text)
	case "copy", "add":
		return i.copied(s.rest)
	case "workdir":
		return i.samePath(strings.Join(i.Args, " "), s.rest)
	case "arg", "env":
		return i.named(s.rest)
	case "label":
		return true // builders add those of their command line
	}
	return i.said(s.rest)
}

// ran tells whether RUN gave that to the shell: the end of the line, behind shell and build arguments.
func (i *Instruction) ran(text string) bool {
	for _, h := range i.Heredocs {
		body := squeeze(h.Data)
		if !strings.Contains(text, body) && !strings.HasSuffix(text, squeeze("/dev/pipes/"+h.Name)) {
			return false
		}
	}
	if len(i.Heredocs) > 0 {
		return true
	}
	command := squeeze(strings.Join(i.Args, ""))
	if !i.JSON {
		command = squeeze(i.operands())
	}
	return command != "" && strings.HasSuffix(text, command)
}

// operands is the text without name and flags.
func (i *Instruction) operands() string {
	_, rest, _ := strings.Cut(strings.TrimSpace(i.Text), " ")
	for {
		rest = strings.TrimSpace(rest)
		word, after, _ := strings.Cut(rest, " ")
		if !strings.HasPrefix(word, "--") {
			return rest
		}
		rest = after
	}
}

// copied tells whether a copy went to the same place, and unless the builder names hashes
// came from the same ones.
func (i *Instruction) copied(rest string) bool {
	words := strings.Fields(strings.Trim(rest, "[]"))
	for len(words) > 0 && strings.HasPrefix(words[0], "--") {
		words = words[1:]
	}
	if len(words) < 2 || len(i.Args) < 2 {
		return false
	}
	n := len(words) - 1
	if !i.samePath(i.Args[len(i.Args)-1], strings.Trim(words[n], `",`)) {
		return false
	}
	if words[n-1] == "in" || len(i.Heredocs) > 0 { // file:HASH in DEST
		return true
	}
	if n != len(i.Args)-1 {
		return false
	}
	for k := range n {
		src, kept := i.Expand(i.Args[k]), strings.Trim(words[k], `",`)
		if !strings.Contains(src, "$") && path.Clean("/"+src) != path.Clean("/"+kept) && i.Args[k] != kept {
			return false
		}
	}
	return true
}

// samePath compares a path with the absolute one that a builder may have made of it.
func (i *Instruction) samePath(raw, kept string) bool {
	written, kept := strings.Trim(i.Expand(raw), `"'`), strings.TrimSpace(strings.Trim(kept, `"'`))
	switch {
	case raw == kept: // Podman replaces no variables
		return true
	case strings.Contains(written, "$"):
		return true // its value is not known
	case strings.HasPrefix(written, "/"):
		return path.Clean(written) == path.Clean(kept)
	}
	return strings.HasSuffix(path.Clean("/"+kept), strings.TrimSuffix(path.Clean("/"+written), "/"))
}

// named tells whether the line sets the variables that the instruction sets, and no others first.
func (i *Instruction) named(rest string) bool {
	for n, p := range i.Pairs {
		at := strings.Index(rest, p.Key)
		if at < 0 || n == 0 && at != 0 {
			return false
		}
		next := rest[at+len(p.Key):]
		if next != "" && next[0] != '=' && next[0] != ' ' {
			return false
		}
		value := strings.Trim(p.Value, `"'`)
		if i.Name == "env" && !strings.Contains(value, "$") && !strings.Contains(squeeze(rest), squeeze(value)) {
			return false
		}
	}
	return len(i.Pairs) > 0
}

// said compares the words of the others: builders write lists each in their own way.
func (i *Instruction) said(rest string) bool {
	kept := bare(rest)
	for _, raw := range i.Args {
		a := i.Expand(raw)
		if strings.Contains(a, "$") && !i.JSON && i.Script == nil {
			continue // its value is not known
		}
		if !strings.Contains(kept, strings.TrimSuffix(bare(a), "tcp")) && !strings.Contains(kept, bare(raw)) {
			return false
		}
	}
	return true
}

// bare keeps letters and digits.
func bare(s string) string {
	return strings.Map(func(r rune) rune {
		if r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' {
			return r
		}
		return -1
	}, s)
}
