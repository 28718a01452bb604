// Package dockerfile is the vocabulary of Dockerfiles: parsed once, by BuildKit's own
// parser, into instructions with the lines they stand on, the stages they belong to, the
// variables known at each, and the shell commands that they run.
//
// All of it is foreign. What BuildKit would refuse in one instruction is a [Problem], and
// the rest is still there; only a file that has no instructions at all, or whose lines
// cannot be told apart, is an error.
package dockerfile

import (
	"bytes"
	"fmt"
	"strings"

	"github.com/moby/buildkit/frontend/dockerfile/parser"

	"bulwark"
)

const (
	maxFile         = 2 << 20 // bytes of a file that is parsed
	maxInstructions = 10000
	maxProblems     = 1000
)

// File is a parsed Dockerfile.
type File struct {
	// Syntax is the frontend that "# syntax=" names, "" without one; SyntaxLine its line.
	Syntax     string
	SyntaxLine int
	// Checks is the value of "# check=": settings of BuildKit's own linter.
	Checks string
	// Escape is the escape character: a backslash or a backtick.
	Escape       byte
	Instructions []*Instruction // all, in order
	Meta         []*Instruction // those before the first FROM
	Stages       []*Stage
	Problems     []Problem
	// Lines are the lines of the file without their endings; line n is Lines[n-1].
	Lines []string

	named map[string]*Stage
}

// Problem is an instruction that BuildKit would not take.
type Problem struct {
	Line int
	Text string
}

// Stage is what one FROM begins.
type Stage struct {
	Index int
	Name  string // lower case; "" without one
	From  *Instruction
	// Image is what it is built from, variables replaced where they are known.
	Image string
	// Raw is the same as it is written.
	Raw string
	// Unknown are the variables in Raw that have no value in the file.
	Unknown []string
	// Platform is the value of --platform.
	Platform string
	// Parent is the earlier stage that Image names; nil for an image.
	Parent       *Stage
	Instructions []*Instruction // without the FROM
	// Windows is true when the shell is PowerShell or cmd: its commands are not read.
	Windows bool
	// Pipefail is true when SHELL sets it.
	Pipefail bool

	vars  vars
	shell []string
}

// Instruction is one instruction.
type Instruction struct {
	Name        string // lower case: "run"
	First, Last int    // lines, heredocs included
	Stage       *Stage // nil before the first FROM
	OnBuild     bool   // runs in the build of an image that is built from this one
	// Text is the instruction with its lines joined, as written otherwise; heredocs left out.
	Text string
	// Args are its arguments as BuildKit's parser splits them, variables not replaced. ENV
	// and LABEL have them in Pairs, ARG too.
	Args  []string
	Pairs []Pair
	Flags []Flag
	JSON  bool // the exec form
	// Heredocs are the contents of its here-documents.
	Heredocs []Heredoc
	// Script is what RUN, CMD, ENTRYPOINT and HEALTHCHECK run; nil for others, and for
	// the shells of Windows.
	Script *Script

	vars vars
	text *source
}

// Pair is one variable of ENV or ARG, or one label.
type Pair struct {
	Key      string
	Value    string // variables replaced where they are known
	HasValue bool   // false for ARG X
}

// Flag is --name=value of an instruction.
type Flag struct{ Name, Value string }

// Heredoc is a here-document of an instruction.
type Heredoc struct {
	Name string
	Data string
	Line int // of the first line of Data
}

// Flag gives the first flag of that name.
func (i *Instruction) Flag(name string) (string, bool) {
	for _, f := range i.Flags {
		if f.Name == name {
			return f.Value, true
		}
	}
	return "", false
}

// Expand replaces the variables in word that are known where the instruction stands;
// others stay as they are.
func (i *Instruction) Expand(word string) string { return i.vars.expand(word) }

// Parse parses a Dockerfile. The error wraps ErrMalformed, with the line, or ErrLimit.
func Parse(data []byte) (*File, error) {
	if len(data) > maxFile {
		return nil, fmt.Errorf("a Dockerfile of %d bytes, at most %d are read: %w", len(data), maxFile, bulwark.ErrLimit)
	}
	result, err := parser.Parse(bytes.NewReader(data))
	if err != nil {
		return nil, fmt.Errorf("%s: %w", located(err), bulwark.ErrMalformed)
	}
	if n := len(result.AST.Children); n > maxInstructions {
		return nil, fmt.Errorf("a Dockerfile of %d instructions, at most %d are read: %w", n, maxInstructions, bulwark.ErrLimit)
	}
	f := &File{Escape: byte(result.EscapeToken), Lines: lines(data)}
	f.directives(data)
	r := reader{file: f, scripts: maxScripts}
	for _, node := range result.AST.Children {
		r.add(node)
	}
	return f, nil
}

// directives reads "# syntax=" and "# check=".
func (f *File) directives(data []byte) {
	if syntax, _, at, ok := parser.DetectSyntax(data); ok {
		f.Syntax, f.SyntaxLine = syntax, 1
		if len(at) > 0 {
			f.SyntaxLine = max(1, at[0].Start.Line)
		}
	}
	_, f.Checks, _, _ = parser.ParseDirective("check", data)
}

// lines splits data into lines as the parser does.
func lines(data []byte) []string {
	text := strings.TrimPrefix(string(data), "\xef\xbb\xbf")
	list := strings.Split(strings.TrimSuffix(text, "\n"), "\n")
	for i := range list {
		list[i] = strings.TrimRight(list[i], "\r")
	}
	return list
}

// located is the text of an error of the parser, with its line.
func located(err error) string {
	text := clean(err.Error())
	if el, ok := errorLine(err); ok {
		return fmt.Sprintf("line %d: %s", el, text)
	}
	return text
}

// clean cuts a message short and takes control characters out.
func clean(s string) string {
	s = strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f || r >= 0x80 && r < 0xa0 {
			return ' '
		}
		return r
	}, strings.ToValidUTF8(s, "?"))
	if len(s) > 300 {
		s = strings.ToValidUTF8(s[:300], "") + "..."
	}
	return s
}
