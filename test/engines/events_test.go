package engines

import (
	"context"
	"net/http"
	"os/exec"
	"strings"
	"testing"
	"time"

	"bulwark"
	"bulwark/source/engine"
	"bulwark/test/registrytest"
)

// hear has the engine's events listened to, by the proxy before it.
func (d *daemon) hear(kind string) chan *bulwark.Event {
	d.t.Helper()
	s := &engine.Events{Sockets: map[string][]string{kind: {d.host}}, Note: func(n bulwark.Note) { d.t.Log(n.Text) }}
	events := make(chan *bulwark.Event, 1000)
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() {
		done <- s.Run(ctx, bulwark.Interest{bulwark.KindEngine: {{}}}, func() {}, func(list []bulwark.Event) error {
			events <- list[0].Clone()
			return nil
		})
	}()
	d.t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			d.t.Error(err)
		}
		d.t.Logf("%+v", s.Counts())
	})
	return events
}

// does runs a container and a command in it, and wants each step told.
func (d *daemon) does(kind string, events chan *bulwark.Event) {
	d.t.Helper()
	file, tag := writeSleeper(d.t)
	d.load(file)
	d.create("told", map[string]any{"Image": tag, "HostConfig": map[string]any{"NetworkMode": "none", "Ulimits": few}})
	out := d.must(http.MethodPost, "/containers/told/exec", strings.NewReader(`{"Cmd":["/sleeper","-x"]}`), "Content-Type", "application/json")
	if _, id, ok := strings.Cut(out, `"Id":"`); ok {
		id, _, _ = strings.Cut(id, `"`)
		d.must(http.MethodPost, "/exec/"+id+"/start", strings.NewReader(`{"Detach":true}`), "Content-Type", "application/json")
	}
	d.must(http.MethodPost, "/containers/told/kill", nil)
	want := map[string]bool{"create": true, "start": true, "exec_start": true, "die": true}
	for len(want) > 0 {
		select {
		case e := <-events:
			a, _ := e.Arg("action")
			d.t.Logf("%s %s", a.Text, e.Doc)
			if !strings.Contains(string(e.Doc), "told") && string(a.Text) != "pull" {
				d.t.Errorf("%s", e.Doc)
			}
			if since := time.Since(time.Unix(0, e.Time)); since < -time.Minute || since > time.Hour {
				d.t.Errorf("it happened at %d", e.Time)
			}
			delete(want, string(a.Text))
		case <-time.After(30 * time.Second):
			d.t.Fatalf("not told by %s: %v", kind, want)
		}
	}
}

func TestDockerEvents(t *testing.T) {
	d := startDocker(t)
	events := d.hear("docker")
	d.does("docker", events)
	addr := registrytest.Start(t, "")
	d.must(http.MethodPost, "/images/sleeper:1/tag?repo="+addr+"/team/sleeper&tag=1", nil)
	d.must(http.MethodPost, "/images/"+addr+"/team/sleeper/push?tag=1", nil, "X-Registry-Auth", "e30=")
	d.must(http.MethodPost, "/images/create?fromImage="+addr+"/team/sleeper&tag=1", nil)
	d.told(events, "pull", "team/sleeper")
	const room = 32 << 20
	d.create("starved", map[string]any{"Image": "sleeper:1", "Env": []string{"EAT=1"}, "HostConfig": map[string]any{"NetworkMode": "none", "Ulimits": few, "Memory": room, "MemorySwap": room}})
	d.told(events, "oom", "starved")
}

// told waits for an action of the engine that names something.
func (d *daemon) told(events chan *bulwark.Event, action, what string) {
	d.t.Helper()
	for {
		select {
		case e := <-events:
			if a, _ := e.Arg("action"); string(a.Text) == action && strings.Contains(string(e.Doc), what) {
				return
			}
		case <-time.After(30 * time.Second):
			d.t.Fatalf("no %s of %s is told", action, what)
		}
	}
}

func TestPodmanEvents(t *testing.T) {
	more := []string{"--events-backend", "file"}
	if runc, err := exec.LookPath("runc"); err == nil {
		more = append(more, "--runtime", runc) // which takes control groups of any version
	}
	p := startPodman(t, more...)
	p.does("podman", p.hear("podman"))
}
