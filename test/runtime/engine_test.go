package runtime

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"bulwark/test/runtime/lab"
)

// engineRules are a user's own about what an engine says.
const engineRules = `
- rule: Container made
  desc: somebody makes a container
  condition: engine.action=create
  output: made %jevt.value[/Actor/Attributes/name] of %jevt.value[/Actor/Attributes/image]
  priority: INFO
  source: engine
- rule: Command in a container
  desc: somebody runs a command in a container by the engine
  condition: engine.action=exec_start and not jevt.value[/Action] contains "healthcheck"
  output: "%jevt.value[/Action] in %jevt.value[/Actor/Attributes/name]"
  priority: NOTICE
  source: engine
- rule: Container failed
  desc: a container ends with an error
  condition: engine.action=die and jevt.value[/Actor/Attributes/exitCode] != 0
  output: ended with %jevt.value[/Actor/Attributes/exitCode]
  priority: WARNING
  source: engine
`

// TestEngineRules has rules look at what a real Docker says of a container: its life is told with its id, name and image.
func TestEngineRules(t *testing.T) {
	if testing.Short() {
		t.Skip("it builds the program and runs a real one beside it: not in short runs")
	}
	d := lab.StartDocker(t)
	t.Setenv("DOCKER_HOST", "unix://"+d.Socket)
	rules := filepath.Join(t.TempDir(), "engine.yaml")
	if err := os.WriteFile(rules, []byte(engineRules), 0o600); err != nil {
		t.Fatal(err)
	}
	w := lab.StartWatch(t, lab.Program(t), "--source", "engine", "--rules", rules)
	r := d.RunLater(t, lab.Options{}, "exit 3")
	bad := d.Run(t, lab.Options{}, "exit 5")
	for _, want := range []struct{ id, rule, part string }{
		{r.ID, "falco/container-made", "made " + r.Name + " of " + lab.Image}, {r.ID, "falco/command-in-a-container", "exec_start: /bin/sh -c exit 3 in " + r.Name}, {bad.ID, "falco/container-failed", "ended with 5"},
	} {
		if f := await(w, want.id, want.rule); f == nil || !strings.Contains(strings.Join(f.Evidence, " "), want.part) || f.Container.Name == "" || f.Container.Image != lab.Image {
			t.Errorf("%s of %.12s: %+v, want %q", want.rule, want.id, f, want.part)
		}
	}
}

func await(w *lab.Watch, id, rule string) *lab.Found {
	for end := time.Now().Add(10 * time.Second); time.Now().Before(end); time.Sleep(5 * time.Millisecond) {
		for _, f := range w.Of(id) {
			if f.Rule == rule {
				return &f
			}
		}
	}
	return nil
}
