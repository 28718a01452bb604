package cli

import (
	"testing"
	"time"

	"bulwark"
	"bulwark/all"
	"bulwark/watch"
)

// TestLoads: what a container takes comes from events to metrics.
func TestLoads(t *testing.T) {
	e := &watch.Watcher{Detectors: all.Detectors(all.Detecting{})}
	args := make([]bulwark.Arg, len(bulwark.KindUsage.Params()))
	for i, p := range bulwark.KindUsage.Params() {
		args[i].Num = map[string]int64{"span": 1e10, "cpu": 5e9, "cpu_limit": 2e9, "memory": 1 << 20, "memory_limit": -1}[p.Name]
	}
	event := &bulwark.Event{Time: time.Now().UnixNano(), Kind: bulwark.KindUsage, Args: args, Process: &bulwark.Process{PID: 7, Container: &bulwark.Container{ID: "abc", Name: "web"}}}
	for _, d := range e.Detectors {
		if _, wants := d.Interest()[bulwark.KindUsage]; wants {
			d.Observe(event)
		}
	}
	list := loads(e)
	if len(list) != 1 || list[0].Container.Name != "web" || list[0].Figures[0] != 0.5 || list[0].Figures[1] != 2 || list[0].Figures[3] != -1 {
		t.Errorf("%+v", list)
	}
}
