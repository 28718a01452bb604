package yara

import (
	"errors"
	"fmt"
	"hash/fnv"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"

	"bulwark"
	engine "bulwark/check/internal/yara"
	"bulwark/internal/limit"
)

const (
	maxFiles = 20_000
	maxFile  = 32 << 20
	maxBytes = 256 << 20
)

// RuleSet is the text of rules, compiled when that is needed. It may be used by several
// goroutines.
type RuleSet struct {
	sources  []engine.Source
	problems []Problem // of files that could not be read
	sum      uint32
	compiled func() compiled
}

type compiled struct {
	rules    *engine.Rules
	problems []Problem
}

// Rule describes a rule that was taken.
type Rule struct {
	Name, File string
	Line       int
	Tags       []string
	Title      string
	Severity   bulwark.Severity
}

// Load reads files of rules, and all .yar and .yara files of folders. A file may include
// others that lie beside it or below. The error wraps [bulwark.ErrNotFound] when a path
// does not exist, [bulwark.ErrMalformed] when a folder has no rules; what is wrong inside
// of files is told by Problems.
func Load(paths ...string) (*RuleSet, error) {
	r := &RuleSet{}
	h := fnv.New32a()
	total := 0
	for _, p := range paths {
		files, err := list(p)
		if err != nil {
			return nil, err
		}
		root := p
		if len(files) == 1 && files[0] == p {
			root = filepath.Dir(p)
		}
		for _, f := range files {
			include := includes(filepath.Dir(f), root)
			text, err := read(f, maxFile)
			if err == nil && total+len(text) > maxBytes {
				err = fmt.Errorf("more than %d MB of rules: %w", maxBytes>>20, bulwark.ErrLimit)
			}
			if err != nil {
				r.problems = append(r.problems, Problem{File: f, Reason: err.Error()})
				continue
			}
			total += len(text)
			r.sources = append(r.sources, engine.Source{Name: f, Text: text, Include: include})
			fmt.Fprintf(h, "%s\x00%d\x00%s", filepath.Base(f), len(text), text)
			hashIncluded(h.Write, engine.Source{Name: f, Text: text, Include: include})
		}
	}
	r.sum = h.Sum32()
	r.compiled = sync.OnceValue(func() compiled {
		rules, problems := engine.Compile(r.sources)
		return compiled{rules, append(slices.Clip(r.problems), problems...)}
	})
	return r, nil
}

// hashIncluded makes what files include part of the version.
func hashIncluded(write func([]byte) (int, error), s engine.Source) {
	if !strings.Contains(s.Text, "include") {
		return
	}
	for _, text := range engine.Included(s) {
		write([]byte(text)) // never fails
	}
}

// Problems lists what could not be taken, in the order of the files.
func (r *RuleSet) Problems() []Problem { return r.compiled().problems }

// Rules lists the rules that were taken.
func (r *RuleSet) Rules() []Rule {
	all := r.compiled().rules.All()
	out := make([]Rule, len(all))
	for i, x := range all {
		out[i] = Rule{Name: x.Name, File: x.File, Line: x.Line, Tags: x.Tags, Title: title(x), Severity: severity(x)}
	}
	return out
}

// list gives the files of a path, sorted.
func list(p string) ([]string, error) {
	info, err := os.Stat(p)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil, fmt.Errorf("YARA rules %s: %w", p, bulwark.ErrNotFound)
	case err != nil:
		return nil, fmt.Errorf("YARA rules %s: %w", p, err)
	case !info.IsDir():
		return []string{p}, nil
	}
	var files []string
	err = filepath.WalkDir(p, func(file string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if ext := strings.ToLower(filepath.Ext(file)); ext != ".yar" && ext != ".yara" || !regular(file, d) {
			return nil
		}
		if files = append(files, file); len(files) > maxFiles {
			return fmt.Errorf("more than %d files: %w", maxFiles, bulwark.ErrLimit)
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("YARA rules %s: %w", p, err)
	}
	if len(files) == 0 {
		return nil, fmt.Errorf("YARA rules %s: no .yar or .yara file in it: %w", p, bulwark.ErrMalformed)
	}
	slices.Sort(files)
	return files, nil
}

// regular tells whether the entry is a file, perhaps through a link.
func regular(file string, d fs.DirEntry) bool {
	if d.Type()&fs.ModeSymlink == 0 {
		return d.Type().IsRegular()
	}
	info, err := os.Stat(file)
	return err == nil && info.Mode().IsRegular()
}

func read(file string, most int64) (string, error) {
	f, err := os.Open(file)
	if err != nil {
		return "", err
	}
	defer f.Close()
	data, err := limit.ReadAll(f, most, "the file of rules")
	return string(data), err
}

// includes reads files below the folder of the file that includes, or below the folder of
// rules that was named, by a path from there or one that begins with its name; and
// nothing outside of them.
func includes(dir, root string) func(string) (string, error) {
	return func(name string) (string, error) {
		text, err := below(dir, name)
		if !errors.Is(err, fs.ErrNotExist) {
			return text, err
		}
		for _, n := range []string{name, strings.TrimPrefix(name, filepath.Base(root)+"/")} {
			if text, again := below(root, n); again == nil {
				return text, nil
			}
		}
		return "", err
	}
}

// below reads a file below a folder.
func below(dir, name string) (string, error) {
	root, err := os.OpenRoot(dir)
	if err != nil {
		return "", err
	}
	defer root.Close()
	info, err := root.Stat(filepath.FromSlash(name))
	if err != nil {
		return "", err
	}
	if !info.Mode().IsRegular() { // a pipe would never end
		return "", errors.New("not a regular file")
	}
	f, err := root.Open(filepath.FromSlash(name))
	if err != nil {
		return "", err
	}
	defer f.Close()
	data, err := limit.ReadAll(f, maxFile, "the included file")
	return string(data), err
}
