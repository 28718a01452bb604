package engine

import (
	"bufio"
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"hash/maphash"
	"net/url"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"bulwark"
	"bulwark/source/internal/engineapi"
)

// Events gives what Docker and Podman say of their own: that containers are created, start, run out of memory and die, that commands
// are begun in them, and that images are pulled. Fields are set before Run.
type Events struct {
	// Sockets are as those of [Source].
	Sockets map[string][]string
	// Note is told, from several goroutines, when an engine that was there no longer answers, and when it does again; nil: nobody is.
	Note func(bulwark.Note)
	Now  func() time.Time // nil: time.Now
	// Least and Most are how long to wait before an engine is tried again; 0: half a second, and 15 s.
	Least, Most time.Duration
	Slow        time.Duration // how long an engine may take to answer; 0: 5 s

	seen, filtered, sent, dropped atomic.Uint64
	mu                            sync.Mutex // guards emit, Note and dialled
	dialled                       map[string]string
}

var _ bulwark.Sensor = (*Events)(nil)

// maxSaid is the most that one event may have.
const maxSaid = 1 << 20

// Info describes the sensor.
func (*Events) Info() bulwark.Info {
	return bulwark.Info{Name: name, Summary: "What the container engines of this machine do.", Version: 1}
}

// Abilities are each engine's events, if its socket answers.
func (s *Events) Abilities() []bulwark.Ability {
	var list []bulwark.Ability
	for _, kind := range []string{"docker", "podman"} {
		a := bulwark.Ability{Name: "see what " + kind + " does", By: "its events"}
		ctx, cancel := context.WithTimeout(context.Background(), 2*time.Second)
		c, host, err := s.dial(ctx, kind)
		if err != nil {
			a.Why = err.Error()
		} else {
			a.By += " at " + strings.TrimPrefix(host, "unix://")
			c.Close()
		}
		cancel()
		list = append(list, a)
	}
	return list
}

// Counts tells what became of events. Those filtered are of sorts that nobody asked for.
func (s *Events) Counts() []bulwark.Count {
	return []bulwark.Count{{Class: "engine", Seen: s.seen.Load(), Filtered: s.filtered.Load(), Sent: s.sent.Load(), Dropped: s.dropped.Load()}}
}

// Run listens to the engines until ctx is done, and connects again to those that go away or come later. Events are asked for since Run
// began, or the last one: engines keep a few hundred.
func (s *Events) Run(ctx context.Context, want bulwark.Interest, ready func(), emit func([]bulwark.Event) error) error {
	if s.Now == nil {
		s.Now = time.Now
	}
	ready()
	if len(want[bulwark.KindEngine]) == 0 {
		<-ctx.Done()
		return nil
	}
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	var wg sync.WaitGroup
	for _, kind := range []string{"docker", "podman"} {
		l := &listening{Events: s, kind: kind, emit: emit, since: s.Now().UnixNano(), seed: maphash.MakeSeed()}
		wg.Go(func() {
			if err := l.run(ctx); err != nil {
				cancel(err)
			}
		})
	}
	wg.Wait()
	if err := context.Cause(ctx); !errors.Is(err, context.Canceled) && !errors.Is(err, context.DeadlineExceeded) {
		return err
	}
	return nil
}

// dial finds the first socket of an engine that answers with a version, and tells which.
func (s *Events) dial(ctx context.Context, kind string) (*engineapi.Client, string, error) {
	hosts, err := (&Source{Sockets: s.Sockets}).hosts(kind)
	if err != nil {
		return nil, "", err
	}
	var failed error
	for _, host := range hosts {
		c, err := engineapi.Connect(ctx, host)
		if err == nil {
			c.Slow = cmp.Or(s.Slow, 5*time.Second)
			var v version
			if err = c.Get(ctx, "/version", &v); err == nil {
				return c, host, nil
			}
			c.Close()
		}
		failed = errors.Join(failed, fmt.Errorf("%s: %w", strings.TrimPrefix(host, "unix://"), err))
	}
	return nil, "", failed
}

// listening is to one engine.
type listening struct {
	*Events
	kind  string
	emit  func([]bulwark.Event) error
	since int64 // when the last event happened, in nanoseconds
	seed  maphash.Seed
	last  [512]uint64 // hashes of the last events: what is asked for again is not given again
	next  int
	there bool // it has answered once
	down  bool // that was told
	wait  time.Duration
}

// errEmit marks the engine's error, which ends the run.
type errEmit struct{ error }

func (e errEmit) Unwrap() error { return e.error }

func (l *listening) run(ctx context.Context) error {
	for ctx.Err() == nil {
		err := l.listen(ctx)
		if e := (errEmit{}); errors.As(err, &e) {
			return e.error
		}
		if ctx.Err() != nil {
			return nil
		}
		l.failed(err)
		l.wait = min(max(2*l.wait, cmp.Or(l.Least, 500*time.Millisecond)), cmp.Or(l.Most, 15*time.Second))
		t := time.NewTimer(l.wait)
		select {
		case <-t.C:
		case <-ctx.Done():
			t.Stop()
		}
	}
	return nil
}

// failed tells of an engine that went away, or whose socket is there and does not answer. One that is not there is no news.
func (l *listening) failed(err error) {
	if l.down || !l.there && errors.Is(err, errNoSocket) {
		return
	}
	l.down = true
	l.tell(fmt.Sprintf("%s does not tell what it does, and is tried again: %v", l.kind, err), true)
}

func (l *listening) tell(text string, incomplete bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.Note != nil {
		l.Note(bulwark.Note{Plugin: name, Text: text, Incomplete: incomplete})
	}
}

// claim tells whether nobody listens to the engine at that address under its other name.
func (l *listening) claim(host string) bool {
	if path, ok := strings.CutPrefix(host, "unix://"); ok {
		if real, err := filepath.EvalSymlinks(path); err == nil {
			host = real
		}
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.dialled == nil {
		l.dialled = map[string]string{}
	}
	if by := l.dialled[host]; by != "" && by != l.kind {
		return false
	}
	l.dialled[host] = l.kind
	return true
}

// listen gives events until the connection ends.
func (l *listening) listen(ctx context.Context) error {
	c, host, err := l.dial(ctx, l.kind)
	if err != nil {
		return err
	}
	defer c.Close()
	if !l.claim(host) {
		return errNoSocket // the other one listens there
	}
	q := url.Values{"since": {fmt.Sprintf("%d.%09d", l.since/1e9, l.since%1e9)}, "filters": {`{"type":["container","image"]}`}}
	body, err := c.Stream(ctx, "/events?"+q.Encode())
	if err != nil {
		return err
	}
	defer body.Close()
	if l.there && l.down {
		l.tell(l.kind+" tells again what it does; of what happened in between, what it no longer keeps is missing", false)
	} else if l.down {
		l.tell(l.kind+" tells what it does", false)
	}
	l.there, l.down, l.wait = true, false, 0
	in := bufio.NewScanner(body)
	in.Buffer(make([]byte, 0, 16<<10), maxSaid)
	for in.Scan() {
		if err := l.line(in.Bytes()); err != nil {
			return err
		}
	}
	if errors.Is(in.Err(), bufio.ErrTooLong) {
		l.seen.Add(1)
		l.dropped.Add(1)
		l.since = l.Now().UnixNano() // or it would come again
	}
	if in.Err() != nil {
		return in.Err()
	}
	return fmt.Errorf("it has ended: %w", bulwark.ErrUnavailable)
}

// said is what is read of an event. Podman's older ones have their names in small letters alone, which is the same here.
type said struct {
	Type, Action, Status string
	Nano                 int64 `json:"timeNano"`
	Time                 int64 `json:"time"`
}

// told are the actions that are given, and what Podman calls them.
var told = map[string]string{
	"create": "create", "start": "start", "exec_create": "exec_create", "exec_start": "exec_start", "exec": "exec_start", "oom": "oom", "pull": "pull", "die": "die", "died": "die",
}

// line takes one event.
func (l *listening) line(b []byte) error {
	b = bytes.Trim(b, "\x1e \t\r\n") // of a JSON sequence each begins so
	if len(b) == 0 {
		return nil
	}
	sum := maphash.Bytes(l.seed, b)
	for _, h := range l.last {
		if h == sum {
			return nil
		}
	}
	l.last[l.next] = sum
	l.next = (l.next + 1) % len(l.last)
	l.seen.Add(1)
	var e said
	if json.Unmarshal(b, &e) != nil {
		l.dropped.Add(1)
		return nil
	}
	action, _, _ := strings.Cut(cmp.Or(e.Action, e.Status), ":") // what follows is the command
	action, ok := told[strings.TrimSpace(action)]
	if !ok || e.Type != "" && e.Type != "container" && e.Type != "image" || action == "pull" != (e.Type == "image") && e.Type != "" {
		l.filtered.Add(1)
		return nil
	}
	at := l.Now().UnixNano()
	switch {
	case e.Nano > 0:
		at = e.Nano
	case e.Time > 0 && e.Time < 1<<33:
		at = e.Time * 1e9
	}
	l.since = max(l.since, min(at, l.Now().UnixNano()))
	return l.give(bulwark.Event{Time: at, Source: bulwark.SourceEngine, Kind: bulwark.KindEngine, FD: bulwark.FD{Num: -1}, Args: []bulwark.Arg{{Text: []byte(action)}}, Doc: b})
}

func (l *listening) give(e bulwark.Event) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if err := l.emit([]bulwark.Event{e}); err != nil {
		return errEmit{err}
	}
	l.sent.Add(1)
	return nil
}
