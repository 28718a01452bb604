//go:build linux && (amd64 || arm64)

package guard

import "testing"

func TestAbilities(t *testing.T) {
	needNode(t)
	g := New(nil)
	defer g.Close()
	for _, a := range g.Abilities() {
		t.Logf("%s by %s: %q", a.Name, a.By, a.Why)
	}
	for name, p := range g.hooks.programs {
		info, err := p.Info()
		if err != nil {
			t.Fatal(err)
		}
		n, _ := info.VerifiedInstructions()
		if t.Logf("%s: %d instructions verified", name, n); n > 200_000 {
			t.Errorf("%s costs the verifier %d instructions: another kernel may refuse it", name, n)
		}
	}
}
