package rules

import "bulwark/detect/rules/internal/lang"

// Validate reads rules as [New] does, disabled ones too, and says how many of each file can be run and what is wrong.
func Validate(files ...File) (taken map[string]int, problems []Problem) {
	var list []lang.File
	for _, f := range files {
		list = append(list, lang.File{Name: f.Name, Data: f.Data})
	}
	b := &builder{set: lang.Load(list), compilers: map[string]*compiler{}}
	for _, p := range b.set.Problems {
		b.tell(&p)
	}
	taken = map[string]int{}
	for _, r := range b.set.Rules {
		if b.rule(r) != nil {
			taken[b.set.Files[r.Pos.File]]++
		}
	}
	return taken, b.problems
}

// IsRules tells whether a text in YAML looks like a file of rules: a list, and not an object.
func IsRules(data []byte) bool { return lang.IsRules(data) }
