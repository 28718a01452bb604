package soak

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"bulwark/test/runtime/lab"
)

// most is how much may be told in ten minutes.
const most = 2

// running is a container of a service.
type running struct {
	*service
	at *lab.Result
}

// TestSoak: 30 ordinary containers work for a while (SOAK, as a duration), asked by their health checks whether they are well,
// and hardly anything is told of them. SOAK_IMAGE is the archive of their root file system: scripts/soak.sh makes it.
func TestSoak(t *testing.T) {
	lasts, err := time.ParseDuration(os.Getenv("SOAK"))
	if err != nil {
		t.Skip("it takes ten minutes: make soak")
	}
	d := lab.StartDocker(t)
	archive, err := os.Open(os.Getenv("SOAK_IMAGE"))
	if err != nil {
		t.Fatal(err)
	}
	defer archive.Close()
	d.Import(t, image, archive)
	w := lab.StartWatch(t, lab.Program(t))
	config := configure(t)
	var list []*running
	all := map[string]string{} // of each container that there was, the service
	for _, s := range services() {
		for range s.count {
			r := &running{service: &s}
			r.start(t, d, config, all)
			list = append(list, r)
		}
	}
	if len(list) != 30 {
		t.Errorf("%d containers", len(list))
	}
	began := time.Now()
	for time.Since(began) < lasts {
		time.Sleep(time.Second)
		for _, r := range list {
			if state, _, err := d.State(r.at.ID); r.again && err == nil && state == "exited" {
				d.Remove(r.at.ID)
				r.start(t, d, config, all)
			}
		}
	}
	for _, r := range list {
		if state, health, err := d.State(r.at.ID); err != nil || !r.again && state != "running" || health == "unhealthy" {
			t.Errorf("%s is %s %s: %v\n%s", r.name, state, health, err, d.Log(r.at.ID))
		}
	}
	w.Stop()
	t.Logf("%d containers, %d of them at a time, for %v", len(all), len(list), time.Since(began).Round(time.Second))
	told := judge(w, all, d)
	for _, line := range told {
		t.Log(line)
	}
	for line := range strings.Lines(w.Said()) {
		if strings.Contains(line, "note:") {
			t.Log(strings.TrimSpace(line))
		}
	}
	if len(told) > most {
		t.Errorf("%d alerts, and %d are the most", len(told), most)
	}
}

func (r *running) start(t *testing.T, d *lab.Docker, config string, all map[string]string) {
	o := r.options
	o.Image = image
	o.Mounts = slices.Clone(o.Mounts)
	for i, m := range o.Mounts {
		o.Mounts[i] = strings.Replace(m, "CONFIG", config, 1)
	}
	r.at = d.Create(t, o, r.command...)
	all[r.at.ID] = r.name
	d.Start(t, r.at)
}

func configure(t *testing.T) string {
	dir := t.TempDir()
	for name, text := range files {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// judge are the alerts about containers of the test, and about the engine that runs them: others may be on this machine.
func judge(w *lab.Watch, all map[string]string, d *lab.Docker) (told []string) {
	for _, f := range w.All() {
		name, own := "the node", false
		if f.Container != nil && f.Container.ID != "" {
			name, own = all[f.Container.ID], all[f.Container.ID] != ""
		} else if f.Process != nil {
			own = strings.Contains(fmt.Sprint(*f.Process), d.Exec)
		}
		if own {
			told = append(told, fmt.Sprintf("%s: %s %s: %s %q", name, f.Severity, f.Rule, f.Title, f.Evidence))
		}
	}
	return told
}
