package dockerfile

import (
	"strings"

	"github.com/moby/buildkit/frontend/dockerfile/instructions"
	"github.com/moby/buildkit/frontend/dockerfile/parser"
)

// maxScripts bounds the bytes of shell that are parsed for one file.
const maxScripts = 4 << 20

// reader makes a File of the nodes of BuildKit's parser.
type reader struct {
	file    *File
	meta    vars
	stage   *Stage
	scripts int // bytes that may still be parsed
}

// add takes one instruction.
func (r *reader) add(node *parser.Node) {
	i := r.instruction(node)
	r.file.Instructions = append(r.file.Instructions, i)
	if _, err := instructions.ParseInstruction(node); err != nil && len(r.file.Problems) < maxProblems {
		r.file.Problems = append(r.file.Problems, Problem{Line: i.First, Text: clean(err.Error())})
	}
	switch {
	case i.Name == "from":
		r.from(i)
		return
	case r.stage == nil:
		if i.Name != "arg" && len(r.file.Problems) < maxProblems {
			r.file.Problems = append(r.file.Problems, Problem{Line: i.First, Text: "there is no FROM before it"})
		}
		r.file.Meta = append(r.file.Meta, i)
	default:
		r.stage.Instructions = append(r.stage.Instructions, i)
	}
	r.define(i)
	i.Script = r.script(i)
}

// instruction decodes what all instructions have in common.
func (r *reader) instruction(node *parser.Node) *Instruction {
	i := &Instruction{First: node.StartLine, Last: node.EndLine, Stage: r.stage, vars: r.vars()}
	i.text = r.file.join(i.First, i.Last)
	i.Text = strings.TrimSpace(i.text.text)
	line := i.text.next
	for _, h := range node.Heredocs {
		i.Heredocs = append(i.Heredocs, Heredoc{Name: h.Name, Data: h.Content, Line: line})
		line += strings.Count(h.Content, "\n") + 1
	}
	if strings.EqualFold(node.Value, "onbuild") && node.Next != nil && len(node.Next.Children) > 0 {
		i.OnBuild = true
		node = node.Next.Children[0]
	}
	i.Name, i.JSON = strings.ToLower(node.Value), node.Attributes["json"]
	for n := node.Next; n != nil; n = n.Next {
		i.Args = append(i.Args, n.Value)
	}
	for _, f := range node.Flags {
		name, value, _ := strings.Cut(strings.TrimPrefix(f, "--"), "=")
		i.Flags = append(i.Flags, Flag{name, value})
	}
	i.pairs()
	return i
}

// vars are the variables known so far.
func (r *reader) vars() vars {
	if r.stage == nil {
		return r.meta
	}
	return r.stage.vars
}

// from begins a stage.
func (r *reader) from(i *Instruction) {
	s := &Stage{Index: len(r.file.Stages), From: i}
	i.Stage, i.vars = s, r.meta
	if len(i.Args) > 0 {
		s.Raw = i.Args[0]
	}
	if len(i.Args) == 3 {
		s.Name = strings.ToLower(i.Args[2])
	}
	s.Platform, _ = i.Flag("platform")
	s.Image = strings.Trim(r.meta.expand(s.Raw), `"'`)
	s.Unknown = r.meta.unknown(s.Raw)
	if parent := r.file.StageNamed(s.Image); parent != nil {
		s.Parent, s.vars = parent, parent.vars.inherited()
		s.setShell(parent.shell)
	}
	r.stage = s
	r.file.Stages = append(r.file.Stages, s)
	if s.Name != "" {
		if r.file.named == nil {
			r.file.named = map[string]*Stage{}
		}
		r.file.named[s.Name] = s
	}
}

// StageNamed is the last stage of that name, which has no case; nil for none.
func (f *File) StageNamed(name string) *Stage { return f.named[strings.ToLower(name)] }

// pairs decodes ENV, LABEL and ARG.
func (i *Instruction) pairs() {
	switch i.Name {
	case "env", "label":
		for a := i.Args; len(a) >= 3; a = a[3:] {
			i.Pairs = append(i.Pairs, Pair{Key: a[0], Value: i.vars.expand(a[1]), HasValue: true})
		}
	case "arg":
		for _, a := range i.Args {
			key, value, ok := strings.Cut(a, "=")
			i.Pairs = append(i.Pairs, Pair{Key: key, Value: i.vars.expand(value), HasValue: ok})
		}
	}
}

// define makes the variables of ENV and ARG known to what follows, and the shell.
func (r *reader) define(i *Instruction) {
	if i.OnBuild {
		return
	}
	switch i.Name {
	case "env":
		r.set(i.Pairs, true)
	case "arg":
		r.set(i.Pairs, false)
	case "shell":
		if r.stage != nil {
			r.stage.setShell(i.Args)
		}
	}
}

func (r *reader) set(pairs []Pair, env bool) {
	v := r.vars().clone()
	for _, p := range pairs {
		v.define(p, env, r.meta)
	}
	if r.stage == nil {
		r.meta = v
		return
	}
	r.stage.vars = v
}

// setShell notes what shell the stage's commands are for.
func (s *Stage) setShell(args []string) {
	s.shell = args
	all := strings.ToLower(strings.Join(args, " "))
	s.Windows = strings.Contains(all, "powershell") || strings.Contains(all, "pwsh") || strings.HasPrefix(all, "cmd")
	s.Pipefail = strings.Contains(all, "pipefail")
}
