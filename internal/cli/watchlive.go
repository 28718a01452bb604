package cli

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"bulwark"
	"bulwark/source/container"
	"bulwark/watch"
)

// live watches this machine.
func (w *watching) live(ctx context.Context, e *watch.Watcher) error {
	began := time.Now()
	e.Sensors = w.sensors(e)
	w.abilities(e)
	finder := container.New(container.Options{})
	e.Containers = finder
	inner, stop := context.WithCancel(ctx)
	done := make(chan struct{})
	go func() {
		defer close(done)
		finder.Run(inner)
	}()
	defer func() {
		stop()
		<-done
	}()
	e.Ready = func() {
		w.say("watching since %d ms after the start; what could not be seen is told; end with Ctrl-C", time.Since(began).Milliseconds())
	}
	err := e.Run(ctx)
	if errors.Is(err, bulwark.ErrUnsupported) || errors.Is(err, bulwark.ErrUnavailable) {
		return &exit{code: exitFailed, err: err, hint: "recordings can be looked at everywhere: bulwark watch --replay FILE; an audit log as well: bulwark watch --source k8s_audit --audit-log FILE"}
	}
	return err
}

// abilities tells what can be seen here, and what cannot.
func (w *watching) abilities(e *watch.Watcher) {
	var can, cannot []string
	for _, s := range e.Sensors {
		for _, one := range s.Abilities() {
			if one.Why != "" {
				cannot = append(cannot, one.Name+" ("+one.Why+")")
				continue
			}
			name := one.Name
			if w.verbose && one.By != "" {
				name += " (" + one.By + ")"
			}
			can = append(can, name)
		}
	}
	if len(can) > 0 {
		w.say("can here: %s", strings.Join(slices.Compact(can), ", "))
	}
	if len(cannot) > 0 {
		w.say("cannot here: %s", strings.Join(slices.Compact(cannot), ", "))
	}
}

func (w *watching) say(format string, args ...any) {
	if !w.quiet {
		fmt.Fprintf(w.err, "bulwark: %s\n", clean(fmt.Sprintf(format, args...)))
	}
}
