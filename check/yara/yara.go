// Package yara finds what the user's YARA rules describe in files of any size as their
// bytes stream by. The engine is package check/internal/yara; a rule that it cannot take
// is told of with the reason, in a note of every scan.
//
// There are no rules of ours: whoever gives a rule answers for its false alarms. A
// finding is of severity high unless the rule says otherwise in its meta section
// (severity, score, threat_level) or by a tag such as "low", for most rules describe
// malicious code and nothing else. It names the rule's author, as licences of rule sets ask.
package yara

import (
	"io/fs"
	"sync"

	"bulwark"
	engine "bulwark/check/internal/yara"
)

const (
	name = "check/yara"
	// codeVersion changes with the engine; the rules are part of the version as well.
	codeVersion = 1
)

// Problem is a rule that is refused, or a file of rules that could not be read whole.
type Problem = engine.Problem

// Options of the inspector.
type Options struct {
	// Paths are files and folders of rules, read when they are first needed.
	Paths []string
	// Rules are rules that were loaded already; Paths are then not read.
	Rules *RuleSet
}

// Inspector looks for what rules describe.
type Inspector struct {
	rules func() (*RuleSet, error)
	free  sync.Pool // of *engine.Scanner
}

var _ bulwark.Inspector = (*Inspector)(nil)

// New returns the inspector. It reads nothing: rules are read when its version is asked
// for, and compiled when the first file is begun.
func New(o Options) *Inspector {
	return &Inspector{rules: sync.OnceValues(func() (*RuleSet, error) {
		if o.Rules != nil {
			return o.Rules, nil
		}
		return Load(o.Paths...)
	})}
}

// Info names the plugin. Its version covers the engine and every byte of the rules.
func (i *Inspector) Info() bulwark.Info {
	info := bulwark.Info{Name: name, Summary: "Files that the user's YARA rules match.", Version: codeVersion << 32}
	if r, err := i.rules(); err == nil {
		info.Version |= int(r.sum)
	}
	return info
}

// Begin takes every regular file.
func (i *Inspector) Begin(f *bulwark.FileInfo) bulwark.Sink {
	if f.Mode&fs.ModeType != 0 {
		return nil
	}
	r, err := i.rules()
	if err != nil {
		return nil // the check tells it
	}
	rules := r.compiled().rules
	if rules.Len() == 0 {
		return nil
	}
	s, _ := i.free.Get().(*engine.Scanner)
	if s == nil {
		s = rules.NewScanner()
	}
	s.Reset(engine.File{Path: f.Path, Size: f.Size})
	return &sink{Scanner: s, free: &i.free}
}

// Check returns the check that tells which rules could not be taken.
func (i *Inspector) Check() *Check { return &Check{rules: i.rules} }
