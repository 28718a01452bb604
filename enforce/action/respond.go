package action

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"bulwark"
)

// Hands do what is to be done. cgroup is the path of the container's; victims are told as NAME (PID).
type Hands struct {
	Freeze        func(ctx context.Context, cgroup string) error
	FreezeTree    func(ctx context.Context, pid int, start int64) (victims []string, err error)
	KillContainer func(ctx context.Context, cgroup string) (victims []string, err error)
	// KillTree has the cgroup stand still meanwhile; "": there is none.
	KillTree func(ctx context.Context, cgroup string, pid int, start int64) (victims []string, err error)
}

// patience is how long something may take.
const patience = 5 * time.Second

// target is at what something is aimed.
type target struct {
	action    Action
	whole     bool
	container string // "": the node
	cgroup    string
	pid       int
	start     int64
	name      string
}

func (t *target) key() string {
	if t.container != "" && (t.whole || t.action == Freeze) {
		return fmt.Sprintf("%s %s", t.action, t.container)
	}
	return fmt.Sprintf("%s %d %d", t.action, t.pid, t.start)
}

// deed is something that is under way.
type deed struct {
	ended chan struct{}
	is    bulwark.Response
}

// Respond says what to do about a finding; nil: nothing. The process is whose the event was.
func (s *Set) Respond(f *bulwark.Finding, p *bulwark.Process) func() bulwark.Response {
	c := s.containerOf(f, p)
	e := s.decide(f.Rule, c)
	if e == nil || e.Action == Alert || e.Action == Deny {
		return nil
	}
	t := target{action: e.Action, whole: e.Whole}
	if p != nil {
		t.pid, t.start, t.name = p.PID, p.Start, p.Name
	}
	if c == nil {
		return s.onNode(t, p)
	}
	if why := s.spared(c); why != "" {
		return failed(t.action, why)
	}
	t.container, t.cgroup = c.ID, c.Cgroup
	switch {
	case t.cgroup == "" && (t.whole || t.action == Freeze):
		return failed(t.action, "the control group of the container is not known")
	case t.pid == 0 && !t.whole && t.action == Kill:
		return failed(t.action, "it is no single process's doing (whole: container kills all of them)")
	}
	return func() bulwark.Response { return s.once(t) }
}

// onNode is for processes that are in no container.
func (s *Set) onNode(t target, p *bulwark.Process) func() bulwark.Response {
	switch {
	case p == nil || p.PID == 0:
		return failed(t.action, "it is no single process's doing")
	case t.whole:
		return failed(t.action, "it is in no container")
	}
	if why := sparedProcess(p); why != "" {
		return failed(t.action, why)
	}
	return func() bulwark.Response { return s.once(t) }
}

func failed(a Action, why string) func() bulwark.Response {
	return func() bulwark.Response { return refused(a, why) }
}

func refused(a Action, why string) bulwark.Response {
	return bulwark.Response{Action: string(a), Text: "not " + past(a) + ": " + why}
}

func past(a Action) string {
	if a == Freeze {
		return "frozen"
	}
	return "killed"
}

// containerOf is the container that a finding is about.
func (s *Set) containerOf(f *bulwark.Finding, p *bulwark.Process) *bulwark.Container {
	if p != nil && p.Container != nil {
		return p.Container
	}
	if f.Container == nil {
		return nil
	}
	if s.containers != nil {
		list := s.containers()
		if i := slices.IndexFunc(list, func(c *bulwark.Container) bool { return c.ID == f.Container.ID }); i >= 0 {
			return list[i]
		}
	}
	return &bulwark.Container{ID: f.Container.ID, Name: f.Container.Name, Image: f.Container.Image}
}

// once does it, or waits for who is doing it already.
func (s *Set) once(t target) bulwark.Response {
	key := t.key()
	s.mu.Lock()
	if d := s.acting[key]; d != nil {
		s.mu.Unlock()
		<-d.ended
		return d.is
	}
	d := &deed{ended: make(chan struct{})}
	s.acting[key] = d
	s.mu.Unlock()
	d.is = s.act(t)
	s.mu.Lock()
	delete(s.acting, key)
	s.mu.Unlock()
	close(d.ended)
	return d.is
}

func (s *Set) act(t target) bulwark.Response {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	var who []string
	var err error
	what := ""
	switch {
	case t.action == Freeze && t.container != "":
		err = s.hands.Freeze(ctx, t.cgroup)
		what = "the container stands still until 0 is written to cgroup.freeze, and THAWED to freezer.state, where its cgroup has them: " + t.cgroup
	case t.action == Freeze:
		who, err = s.hands.FreezeTree(ctx, t.pid, t.start)
	case t.whole:
		who, err = s.hands.KillContainer(ctx, t.cgroup)
		what = "the whole container"
	default:
		who, err = s.hands.KillTree(ctx, t.cgroup, t.pid, t.start)
	}
	r := bulwark.Response{Action: string(t.action), Done: err == nil, Text: past(t.action) + ": " + told(what, who)}
	if err != nil {
		r = refused(t.action, reason(err))
		if len(who) > 0 {
			r.Text += "; " + past(t.action) + " were " + told("", who)
		}
	}
	return r
}

func reason(err error) string {
	if errors.Is(err, bulwark.ErrNotFound) {
		return "it had ended already (" + err.Error() + ")"
	}
	return err.Error()
}

// mostTold is how many victims are named.
const mostTold = 16

func told(what string, who []string) string {
	list := strings.Join(who[:min(len(who), mostTold)], ", ")
	if n := len(who) - mostTold; n > 0 {
		list += fmt.Sprintf(" and %d more", n)
	}
	switch {
	case what == "":
		return list
	case list == "":
		return what
	}
	return what + ": " + list
}
