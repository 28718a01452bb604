package cli

import (
	"context"
	"errors"
	"fmt"
	"os/signal"
	"slices"
	"strings"
	"sync"
	"syscall"
	"time"

	"bulwark"
	"bulwark/source/cgroup"
	"bulwark/source/container"
	"bulwark/source/engine"
	"bulwark/source/kernel"
	"bulwark/watch"
)

// live watches this machine.
func (w *watching) live(ctx context.Context, e *watch.Watcher) error {
	began := time.Now()
	ctx, heed := w.signals(ctx)
	defer heed()
	e.Sensors = w.sensors(e)
	finder := container.New(container.Options{Kubelet: w.kubelet})
	if slices.Contains(w.sources, bulwark.SourceSyscall) {
		e.Sensors = append(e.Sensors, &cgroup.Sensor{Containers: finder.Containers})
	}
	stopping, err := w.enforce(e, finder)
	if err != nil {
		return err
	}
	defer stopping.Close()
	e.Containers = stopping.containers(finder)
	if w.view != nil {
		w.view.finds(finder)
	}
	inner, stop := context.WithCancel(ctx)
	done := make(chan struct{})
	go func() {
		defer close(done)
		finder.Run(inner)
	}()
	minded := make(chan struct{})
	mind := sync.OnceFunc(func() {
		go func() {
			defer close(minded)
			minds(inner, e)
		}()
	})
	acted := make(chan struct{})
	go func() {
		defer close(acted)
		stopping.run(inner, e)
	}()
	defer func() {
		stop()
		mind() // so that there is an end to wait for
		<-minded
		<-done
		<-acted
	}()
	e.Ready = func() {
		if w.view == nil {
			w.abilities(e)
		}
		w.say("watching since %d ms after the start, %s", time.Since(began).Milliseconds(), w.until())
		mind()
		go func() {
			if w.view == nil {
				stopping.abilities()
			}
		}()
	}
	there := &kernel.Processes{}
	defer there.Close()
	if slices.Contains(w.sources, bulwark.SourceSyscall) {
		e.Processes = there.List
	}
	e.Settled = func() {
		there.Close()
		go slim()
	}
	unpage()
	err = e.Run(ctx)
	if errors.Is(err, bulwark.ErrUnsupported) || errors.Is(err, bulwark.ErrUnavailable) {
		if from := (*bulwark.PluginError)(nil); errors.As(err, &from) && strings.HasPrefix(from.Plugin, "source/audit") {
			return &exit{code: exitFailed, err: err, hint: "docs/watch.md says what the audit log needs: --audit-cert and --audit-key give its webhook a certificate"}
		}
		return &exit{code: exitFailed, err: err, hint: "without it there are recordings (--replay FILE) and audit logs (--source k8s_audit --audit-log FILE)"}
	}
	return err
}

// signals has the watch end in order, with its last words, where the terminal goes or nobody reads its output any more: a
// closed pipe is then an error of who writes to it.
func (w *watching) signals(ctx context.Context) (context.Context, func()) {
	signal.Ignore(syscall.SIGPIPE)
	if w.actions.on || signal.Ignored(syscall.SIGHUP) { // files are read again then; nohup
		return ctx, func() {}
	}
	return signal.NotifyContext(ctx, syscall.SIGHUP)
}

// until says when it ends.
func (w *watching) until() string {
	if w.duration > 0 {
		return fmt.Sprintf("for %v or until Ctrl-C", w.duration)
	}
	return "until Ctrl-C"
}

// abilities tells what can be seen here, and what cannot. An engine that is not here is no matter.
func (w *watching) abilities(e *watch.Watcher) {
	var can []string
	var whys []string
	cannot := map[string][]string{}
	for _, s := range e.Sensors {
		_, optional := s.(*engine.Events)
		optional = optional && len(w.sources) > 1 // who asks for engines alone wants to know
		for _, one := range s.Abilities() {
			switch name := strings.TrimPrefix(one.Name, "see "); {
			case one.Why == "":
				if w.verbose && one.By != "" {
					name += " (" + one.By + ")"
				}
				can = append(can, name)
			case !optional || w.verbose:
				if cannot[one.Why] == nil {
					whys = append(whys, one.Why)
				}
				cannot[one.Why] = append(cannot[one.Why], name)
			}
		}
	}
	if len(can) > 0 {
		w.say("sees here: %s", strings.Join(can, ", "))
	}
	for _, why := range whys {
		w.say("does not see here: %s (%s)", strings.Join(cannot[why], ", "), why)
	}
}

func (w *watching) say(format string, args ...any) {
	if !w.quiet {
		fmt.Fprintf(w.err, "bulwark: %s\n", clean(fmt.Sprintf(format, args...)))
	}
}
