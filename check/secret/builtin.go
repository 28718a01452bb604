package secret

import (
	"embed"
	"fmt"
	"io/fs"

	"bulwark/check/secret/internal/rule"
)

// files are the built-in rules, one a file.
//
//go:embed rules/*.yaml
var files embed.FS

// eachBuiltin gives the files in the order of their names.
func eachBuiltin(do func(name string, data []byte)) {
	list, _ := fs.ReadDir(files, "rules")
	for _, f := range list {
		if data, err := files.ReadFile("rules/" + f.Name()); err == nil {
			do(f.Name(), data)
		}
	}
}

// builtin reads the built-in rules, without their cases.
func builtin() ([]*rule.Rule, error) { return loaded(rule.LoadTrusted) }

func loaded(load func([]byte) (*rule.Rule, error)) ([]*rule.Rule, error) {
	var out []*rule.Rule
	var failed error
	eachBuiltin(func(name string, data []byte) {
		r, err := load(data)
		if err != nil {
			failed = fmt.Errorf("%s: %w", name, err)
			return
		}
		out = append(out, r)
	})
	return out, failed
}
