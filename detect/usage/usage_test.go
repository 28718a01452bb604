package usage_test

import (
	"strings"
	"testing"
	"time"

	. "bulwark/detect/internal/detecttest"
	"bulwark/detect/internal/family"
	"bulwark/detect/usage"
)

func app(s *Scene) *Proc { return s.Container("app:1", "/usr/bin/app") }

const second = 1_000_000_000

// takes has the container take something, every ten seconds for a while.
func takes(s *Scene, p *Proc, lasts time.Duration, args ...any) {
	for range lasts / (10 * time.Second) {
		s.Wait(10 * time.Second)
		p.Do("usage", nil, append([]any{"span", 10 * second, "cpu_limit", 2 * second, "memory_limit", -1, "pids_limit", -1}, args...)...)
	}
}

func TestRules(t *testing.T) {
	Run(t, func() *family.Family { return usage.New().Family }, []Twins{
		{Rule: "anomaly",
			Attack: func(s *Scene) {
				c := app(s)
				takes(s, c, 2*time.Hour, "cpu", second, "memory", 100<<20, "sent", 10<<20)
				takes(s, c, 20*time.Minute, "cpu", 19*second, "memory", 100<<20, "sent", 10<<20)
			},
			Benign: func(s *Scene) {
				c := app(s)
				takes(s, c, 10*time.Minute, "cpu", second)
				takes(s, c, 20*time.Minute, "cpu", 19*second) // new: it has no habits
				takes(s, c, time.Hour, "cpu", second)
				takes(s, c, 20*time.Minute, "cpu", 19*second) // as before
				quiet := app(s)
				takes(s, quiet, 2*time.Hour, "cpu", second/1000, "sent", 100)
				takes(s, quiet, time.Hour, "cpu", second, "sent", 100<<10) // much more, and still little
				spike := app(s)
				for range 3 {
					takes(s, spike, time.Hour, "cpu", second)
					takes(s, spike, 40*time.Second, "cpu", 19*second)
				}
			}},
		{Rule: "memory-short",
			Attack: func(s *Scene) {
				takes(s, app(s), 3*time.Minute, "memory", 99<<20, "memory_limit", 100<<20, "pressure_memory", 4000)
			},
			Benign: func(s *Scene) {
				takes(s, app(s), time.Hour, "memory", 99<<20, "memory_limit", 100<<20, "pressure_memory", 10) // a database that fills its cache
				takes(s, app(s), 30*time.Second, "memory", 99<<20, "memory_limit", 100<<20, "pressure_memory", 9000)
				takes(s, app(s), time.Hour, "memory", 99<<30, "pressure_memory", 9000) // the node's shortage
				takes(s, app(s), 10*time.Second, "oom", 1)
			}},
		{Rule: "processes-refused",
			Attack: func(s *Scene) { takes(s, app(s), 10*time.Second, "pids", 100, "pids_limit", 100, "refused", 4000) },
			Benign: func(s *Scene) { takes(s, app(s), time.Hour, "pids", 100, "pids_limit", 100, "refused", 3) }},
		{Rule: "connection-flood",
			Attack: func(s *Scene) { takes(s, app(s), 10*time.Second, "overflows", 50000) },
			Benign: func(s *Scene) { takes(s, app(s), time.Hour, "overflows", 20) }},
	},
		Case{Name: "killed again and again", Fires: "memory-short", Do: func(s *Scene) { takes(s, app(s), time.Minute, "oom", 1) }},
	)
}

// TestKPIs: figures are rates, what is not known stays so, and what is odd is said until it is not.
func TestKPIs(t *testing.T) {
	d := usage.New()
	s := NewScene(d, d.Interest())
	c := s.Container("web:1", "/usr/bin/web")
	takes(s, c, 90*time.Minute, "cpu", 5*second, "memory", 1<<20, "received", 100<<10, "sent", -1, "pids", 4, "pressure_cpu", 2500, "oom", 1)
	list := d.KPIs()
	if len(list) != 1 {
		t.Fatalf("%d figures", len(list))
	}
	k := list[0]
	if k.Container.ID != c.Container.ID || k.Container.Image != "web:1" || k.CPU != 0.5 || k.CPULimit != 2 || k.Memory != 1<<20 || k.MemoryLimit != -1 || k.Received != 10<<10 || k.Sent != -1 || k.Processes != 4 || k.WaitingCPU != 0.25 || k.OutOfMemory != 540 {
		t.Errorf("%+v", k)
	}
	takes(s, c, 10*time.Minute, "cpu", 20*second)
	if k = d.KPIs()[0]; len(k.Anomalies) != 1 || !strings.HasPrefix(k.Anomalies[0], "processors: 2.00 processors for five minutes; it was 0.50") {
		t.Errorf("%q", k.Anomalies)
	}
	takes(s, c, 10*time.Minute, "cpu", second)
	if k = d.KPIs()[0]; len(k.Anomalies) != 0 {
		t.Errorf("%q", k.Anomalies)
	}
	other := app(s)
	takes(s, other, 5*time.Minute, "cpu", second)
	if list = d.KPIs(); len(list) != 1 || list[0].Container.ID != other.Container.ID {
		t.Errorf("a container that ended is told: %+v", list)
	}
}
