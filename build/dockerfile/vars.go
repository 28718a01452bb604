package dockerfile

import (
	"maps"
	"os"
	"regexp"
	"slices"
	"strings"
	"sync"

	"github.com/moby/buildkit/frontend/dockerfile/shell"
)

const (
	maxValue   = 1 << 10 // bytes of a variable's value that is replaced
	maxWord    = 4 << 10 // bytes of a word in which variables are replaced
	maxUses    = 64      // variables in one word
	maxDefined = 200     // variables of a file
)

// vars are the variables known at a place. They are never changed once an instruction has
// them: a definition works on a clone.
type vars struct {
	value map[string]string
	env   map[string]bool // those of ENV, which beat ARG and live on in later stages
}

func (v vars) clone() vars { return vars{maps.Clone(v.value), maps.Clone(v.env)} }

// inherited is what a stage has of the one that it is built from.
func (v vars) inherited() vars {
	out := vars{}
	for k := range v.env {
		out.put(k, v.value[k], true)
	}
	return out
}

func (v *vars) put(key, value string, env bool) {
	if v.value == nil {
		v.value, v.env = map[string]string{}, map[string]bool{}
	}
	if len(v.value) >= maxDefined {
		return
	}
	v.value[key] = value
	if env {
		v.env[key] = true
	}
}

// define takes one ENV or ARG. ARG X in a stage has the value of ARG X=... before the first FROM.
func (v *vars) define(p Pair, env bool, meta vars) {
	if v.env[p.Key] && !env {
		return
	}
	value, ok := p.Value, p.HasValue
	if !ok {
		value, ok = meta.value[p.Key]
	}
	if ok && len(value) <= maxValue {
		v.put(p.Key, value, env)
		return
	}
	delete(v.value, p.Key)
	delete(v.env, p.Key)
}

// Get and Keys make vars a shell.EnvGetter.
func (v vars) Get(key string) (string, bool) {
	value, ok := v.value[key]
	return value, ok
}

// Keys lists the names.
func (v vars) Keys() []string { return slices.Sorted(maps.Keys(v.value)) }

// expand replaces the variables that are known, and takes quotes away. A word that is too long, or that BuildKit cannot read, stays as it is.
func (v vars) expand(word string) string {
	if len(word) > maxWord {
		return word
	}
	n := strings.Count(word, "$")
	if n > maxUses || n == 0 && !strings.ContainsAny(word, `'"\`) {
		return word
	}
	lex := shell.NewLex('\\')
	lex.SkipUnsetEnv = len(v.unknown(word)) > 0 // it would skip defaults too
	out, _, err := lex.ProcessWord(word, v)
	if err != nil || len(out) > maxWord {
		return word
	}
	return out
}

// expandPlain replaces the variables that are known, and touches nothing else.
func (v vars) expandPlain(word string) string {
	if n := strings.Count(word, "$"); n == 0 || n > maxUses || len(word) > maxWord {
		return word
	}
	return os.Expand(word, func(name string) string {
		if value, ok := v.value[name]; ok {
			return value
		}
		return "${" + name + "}"
	})
}

var variable = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`\$\{?([A-Za-z_][A-Za-z0-9_]*)(:?[-+?])?`) })

// unknown are the variables in a word that have neither a value nor a default.
func (v vars) unknown(word string) []string {
	var out []string
	for _, m := range variable().FindAllStringSubmatch(word[:min(len(word), maxWord)], maxUses) {
		if _, ok := v.value[m[1]]; !ok && m[2] == "" {
			out = append(out, m[1])
		}
	}
	return out
}

// Has tells whether ENV or ARG gives a variable a value that is neither empty nor "0".
func (s *Stage) Has(key string) bool {
	value, ok := s.Var(key)
	return ok && value != "" && value != "0"
}

// Var is the value that a variable has at the end of the stage.
func (s *Stage) Var(key string) (string, bool) {
	if s == nil {
		return "", false
	}
	return s.vars.Get(key)
}
