// Package gitleaks reads the rules of gitleaks, version 8: the TOML file as it is.
//
// What differs from gitleaks, and is noted where a rule is touched by it: a rule is tried
// where a text stands that each of its matches must hold, not on whole files; where its
// pattern has no such text, around its keywords; where it has no keywords either, on
// whatever one of its first characters stands before, which is slow and has an end. Commits
// of allowlists count nothing, because files are looked at and no history. "The default
// rules" are Bulwark's own; a tag "gitleaks:ID" tells which of them stands for which.
package gitleaks

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/BurntSushi/toml"

	"bulwark"
	"bulwark/check/secret/internal/rule"
)

// Budgets on foreign files.
const (
	MaxFile    = 10 << 20
	MaxRules   = 10_000
	maxPattern = 64 << 10
	// maxSize and maxSizes bound the instructions that expressions compile to, one and all.
	maxSize  = 50_000
	maxSizes = 4_000_000
	maxDepth = 2 // files that extend files
)

// Options of Load.
type Options struct {
	// Builtin are the rules that extend.useDefault speaks of.
	Builtin []*rule.Rule
	// Open reads a file that extend.path names, at most MaxFile bytes of it; nil: none are read.
	Open func(path string) ([]byte, error)
}

// File is what a file of rules says.
type File struct {
	// Rules are those that were taken, valid, the file's own and those of files that it extends.
	Rules []*rule.Rule
	// UseDefault: the built-in rules go with them.
	UseDefault bool
	// Disabled are the ids of built-in rules that the file turns off or has its own version of.
	Disabled []string
	// Allow are descriptions of what is no secret for any rule. Rules have them already;
	// with UseDefault they are for the built-in ones too.
	Allow []*rule.Allow
	// Problems say which rules were not taken, and why.
	Problems []Problem
	// Notes say which rules were taken and find something else than gitleaks would.
	Notes []Problem
}

// Problem is something about a rule that a person should know.
type Problem struct {
	File         string
	Line, Column int    // the first is 1; 0: not known
	Rule         string // its id, as the file has it
	Text         string
}

// Apply gives the rules that the engine should have: built-in ones, which it changes, and the file's.
func (f *File) Apply(builtin []*rule.Rule) []*rule.Rule {
	var out []*rule.Rule
	for _, r := range builtin {
		if slices.Contains(f.Disabled, r.ID) {
			continue
		}
		if f.UseDefault {
			r.Allow = append(r.Allow, f.Allow...)
		}
		out = append(out, r)
	}
	return append(out, f.Rules...)
}

// SyntaxError says where a file is no TOML. It is bulwark.ErrMalformed.
type SyntaxError struct {
	File         string
	Line, Column int
	Text         string
}

func (e *SyntaxError) Error() string {
	return fmt.Sprintf("%s:%d:%d: %s", e.File, e.Line, e.Column, e.Text)
}

// Is makes it a malformed file.
func (e *SyntaxError) Is(target error) bool { return target == bulwark.ErrMalformed }

// Load reads a file. It returns a *SyntaxError for what is no TOML, and an error wrapping
// bulwark.ErrLimit for what is too large; rules that cannot be taken are Problems.
func Load(name string, data []byte, o Options) (*File, error) {
	l := &loader{options: o, left: MaxRules, sizes: maxSizes}
	c, err := l.config(name, data, 0)
	if err != nil {
		return nil, err
	}
	return l.file(c), nil
}

// decode reads TOML, bounded.
func decode(name string, data []byte) (map[string]any, positions, error) {
	if len(data) > MaxFile {
		return nil, nil, fmt.Errorf("%s is larger than %d bytes: %w", name, MaxFile, bulwark.ErrLimit)
	}
	data = bytes.TrimPrefix(data, []byte("\xef\xbb\xbf"))
	where, err := outlineOf(data)
	if err != nil {
		return nil, nil, fmt.Errorf("%s: %w", name, err)
	}
	var out map[string]any
	_, err = toml.Decode(string(data), &out)
	var parse toml.ParseError
	if errors.As(err, &parse) {
		at := placeOf(data, &parse)
		return nil, nil, &SyntaxError{name, at.line, at.column, shown(parse.Message)}
	}
	if err != nil {
		return nil, nil, fmt.Errorf("%s: %w: %w", name, bulwark.ErrMalformed, err)
	}
	return lowered(out), where, nil
}

// placeOf is where an error begins. The library tells the offset; its line is the next one
// when a line ends too soon, and its column is that of a character before.
func placeOf(data []byte, e *toml.ParseError) position {
	p := e.Position
	at := min(max(0, p.Start), len(data))
	for at < p.Start+p.Len-1 && at < len(data)-1 && (data[at] == ' ' || data[at] == '\t') {
		at++
	}
	if strings.Contains(e.Message, "UTF-8") || strings.Contains(e.Message, "control character") {
		at += max(0, foreign(data[at:]))
	}
	return position{1 + bytes.Count(data[:at], []byte{'\n'}), at - bytes.LastIndexByte(data[:at], '\n')}
}

// foreign is where the first byte stands that no TOML has; -1 when there is none.
func foreign(data []byte) int {
	for i := 0; i < len(data); {
		r, n := utf8.DecodeRune(data[i:])
		if r == utf8.RuneError && n == 1 || r < ' ' && r != '\t' && r != '\n' && r != '\r' || r == 0x7f {
			return i
		}
		i += n
	}
	return -1
}

// lowered gives all keys in lower case: gitleaks does not tell them apart.
func lowered(table map[string]any) map[string]any {
	out := make(map[string]any, len(table))
	for k, v := range table {
		out[strings.ToLower(k)] = loweredValue(v)
	}
	return out
}

func loweredValue(v any) any {
	switch v := v.(type) {
	case map[string]any:
		return lowered(v)
	case []map[string]any:
		out := make([]any, len(v))
		for i := range v {
			out[i] = lowered(v[i])
		}
		return out
	case []any:
		for i := range v {
			v[i] = loweredValue(v[i])
		}
	}
	return v
}

// shown makes foreign text fit to be shown.
func shown(s string) string {
	s = strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f || r == 0xfffd {
			return '?'
		}
		return r
	}, s)
	if len(s) > 200 {
		s = s[:200] + "…"
	}
	return strings.ToValidUTF8(s, "?")
}
