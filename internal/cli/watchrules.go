package cli

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"
	"time"

	"bulwark"
	"bulwark/all"
	"bulwark/detect/rules"
	"bulwark/internal/limit"
	"bulwark/source/engine"
	"bulwark/source/kernel"
	"bulwark/source/kernel/calls"
	"bulwark/watch"
)

// detectors are those that are built in, and what the user's rules say.
func (w *watching) detectors(ctx context.Context, e *watch.Watcher) ([]bulwark.Detector, error) {
	declared, err := sensitive(w.sensitive)
	if err != nil {
		return nil, err
	}
	list := all.Detectors(all.Detecting{Sensitive: declared})
	if len(w.rules) == 0 {
		return list, nil
	}
	o := rules.Options{Threshold: levels[w.least], Names: accounts{e}, Host: e.Host.Name, Boot: e.Boot, Explain: w.explain}
	for _, text := range w.append {
		o.Append = append(o.Append, rules.Append{Format: text})
	}
	if w.replay == "" && !w.offline {
		o.Resolver = newResolver(ctx)
	}
	for _, name := range w.rules {
		data, err := readRules(name)
		if err != nil {
			return nil, &exit{code: exitUsage, err: fmt.Errorf("--rules: %w", err)}
		}
		o.Files = append(o.Files, rules.File{Name: name, Data: data})
	}
	d, problems := rules.New(o)
	if err := w.troubles(problems); err != nil {
		return nil, err
	}
	return append(list, d), nil
}

func readRules(name string) ([]byte, error) {
	f, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return limit.ReadAll(f, maxFalco, name)
}

// mostTroubles is how much of what is wrong with rules is told.
const mostTroubles = 20

// troubles tells what is odd about rules, and refuses those in which something is wrong.
func (w *watching) troubles(list []rules.Problem) error {
	var wrong []string
	for i := range list {
		p := &list[i]
		if !p.Warning {
			wrong = append(wrong, p.String())
		} else if w.verbose {
			w.say("note: %s", p.String())
		}
	}
	if odd := len(list) - len(wrong); odd > 0 && !w.verbose {
		w.say("note: warnings about rules (%d) are told with --verbose, and by bulwark rule validate", odd)
	}
	if len(wrong) == 0 {
		return nil
	}
	rest := ""
	if len(wrong) > mostTroubles {
		rest = fmt.Sprintf("\nand %d more", len(wrong)-mostTroubles)
		wrong = wrong[:mostTroubles]
	}
	return &exit{code: exitUsage, err: errors.New("rules cannot be taken:\n" + strings.Join(wrong, "\n") + rest), hint: "bulwark rule validate FILE lists all that is wrong"}
}

// accounts are those that the engine knows.
type accounts struct{ *watch.Watcher }

func (a accounts) User(p *bulwark.Process, uid uint32) (rules.User, bool) {
	u, ok := a.Watcher.User(p, uid)
	return rules.User{Name: u.Name, Home: u.Home, Shell: u.Shell}, ok
}

// booted is when this machine started, nanoseconds since 1970; 0: not known.
func booted() int64 {
	b, err := os.ReadFile("/proc/uptime")
	first, _, _ := strings.Cut(string(b), " ")
	up, bad := strconv.ParseFloat(first, 64)
	if err != nil || bad != nil {
		return 0
	}
	return time.Now().Add(-time.Duration(up * float64(time.Second))).UnixNano()
}

// mostSources are where events may come from.
var mostSources = []string{bulwark.SourceSyscall, bulwark.SourceEngine, bulwark.SourceK8sAudit}

// sensors are those that were asked for.
func (w *watching) sensors(e *watch.Watcher) (list []bulwark.Sensor) {
	for _, s := range w.sources {
		switch s {
		case bulwark.SourceSyscall:
			list = append(list, kernel.New())
			if w.profiling.on() {
				list = append(list, calls.New())
			}
		case bulwark.SourceEngine:
			list = append(list, &engine.Events{Note: e.Note})
		case bulwark.SourceK8sAudit:
			list = append(list, w.audit.sensors(e)...)
		}
	}
	return list
}
