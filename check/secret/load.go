package secret

import (
	"crypto/sha256"
	"fmt"
	"os"
	"path/filepath"

	"bulwark"
	"bulwark/check/secret/internal/gitleaks"
	"bulwark/internal/limit"
)

// SyntaxError says where a file of rules is no TOML.
type SyntaxError = gitleaks.SyntaxError

// LoadRules reads a gitleaks configuration as it is. Its rules count beside the built-in
// ones, of which it may disable some; a file that it extends is read from the same folder
// or below. The error is a [*SyntaxError], or wraps ErrNotFound, ErrLimit or ErrMalformed;
// rules that cannot be taken are Problems.
func LoadRules(file string) (*RuleSet, error) {
	data, err := readRules(file)
	if err != nil {
		return nil, err
	}
	known, err := builtin()
	if err != nil {
		return nil, err
	}
	sum := sha256.New()
	sum.Write(data)
	f, err := gitleaks.Load(file, data, gitleaks.Options{Builtin: known, Open: func(path string) ([]byte, error) {
		if !filepath.IsLocal(path) {
			return nil, fmt.Errorf("%s does not lie below the folder of %s: %w", path, file, bulwark.ErrUntrusted)
		}
		more, err := readRules(filepath.Join(filepath.Dir(file), path))
		sum.Write(more)
		return more, err
	}})
	if err != nil {
		return nil, err
	}
	set := &RuleSet{Name: file, file: f, sum: [sha256.Size]byte(sum.Sum(nil))}
	for _, p := range f.Problems {
		set.Problems = append(set.Problems, Problem{p.Line, p.Column, p.Rule, p.Text})
	}
	return set, nil
}

func readRules(name string) ([]byte, error) {
	f, err := os.Open(name)
	if os.IsNotExist(err) {
		return nil, fmt.Errorf("rules %s: %w", name, bulwark.ErrNotFound)
	}
	if err != nil {
		return nil, fmt.Errorf("rules: %w", err)
	}
	defer f.Close()
	return limit.ReadAll(f, gitleaks.MaxFile, name)
}
