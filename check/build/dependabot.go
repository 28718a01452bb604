package build

import (
	"bulwark/build/workflow"
)

// dependabot judges the file that tells Dependabot what to raise.
func (b *base) dependabot() error {
	w, err := workflow.Parse(b.doc.Data)
	for u := range w.Root.Get("updates").Items() {
		name := u.Get("package-ecosystem").Text()
		if n := u.Get("insecure-external-code-execution"); n.Text() == "allow" {
			b.emit(b.swapped(b.finding(&dependabotRuns, name, u.Get("directory").Text(), n.Line(), "insecure-external-code-execution: allow, for %s", name), n, "deny"))
		}
		if c := u.Get("cooldown"); !c.Exists() && name != "" {
			b.emit(b.finding(&noCooldown, name, u.Get("directory").Text(), u.Line(), "%s has no cooldown", name))
		}
	}
	if err != nil {
		return err
	}
	return w.Err()
}
