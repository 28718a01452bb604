// Package watch is the engine that keeps looking: sensors give events, and detectors turn them into findings.
//
// It keeps the tree of processes, says whose container each is, and gives every finding the process, its parents and the container. What
// repeats is told once with a count; whatever could not be seen or told is itself told.
package watch

import (
	"context"
	"errors"
	"fmt"
	"io"
	"sync"
	"time"

	"bulwark"
	"bulwark/watch/trace"
)

// Containers knows which container a cgroup is. Its methods are called by one goroutine at a time.
type Containers interface {
	// Walk takes all cgroups that are there. It is called once, when Made is told of all that come.
	Walk(context.Context) error
	// Made and Gone tell of cgroups that come and go; by is who made one, and may be nil.
	Made(cgroup uint64, path string, by *bulwark.Process)
	Gone(cgroup uint64)
	// Lookup gives what is known now: nil where the cgroup is no container's. more is closed when more is known, and
	// nil when nothing is awaited. ok is false for a cgroup that nobody told of.
	Lookup(cgroup uint64) (c *bulwark.Container, more <-chan struct{}, ok bool)
	// Process is asked where Lookup does not know the cgroup, or the unified hierarchy has it at its root.
	Process(pid int, cgroup uint64) (c *bulwark.Container, more <-chan struct{})
}

// Watcher looks until it is told to stop. Fields are set before Run or Replay, which are called once.
type Watcher struct {
	Sensors    []bulwark.Sensor
	Detectors  []bulwark.Detector
	Containers Containers // nil: nothing is known of containers
	Handler    bulwark.Handler
	Policies   []bulwark.Policy // findings that one excepts are counted, and not told
	// Keep tells whether a finding is worth telling; nil: all are.
	Keep func(*bulwark.Finding) bool
	// Respond is asked what to do about each finding that no policy excepts, repeats among them; nil: nothing. What it gives is
	// done at once, beside all else, and the finding is told, whatever Keep says, with what came of it. The process
	// is that of the event, is nil where nothing happened but time, and is the engine's: what is kept of it is copied.
	Respond func(*bulwark.Finding, *bulwark.Process) func() bulwark.Response
	Host    bulwark.Asset // of what happens outside containers
	Cluster string        // whose audit log sensors give, by the name that scans of it have; "": "unknown"
	// Run is what the stream begins with.
	About bulwark.Run
	Boot  int64            // when the node started, nanoseconds since 1970; 0: not known
	Now   func() time.Time // nil: time.Now
	// Ready is called once all that happens from then on is seen.
	Ready func()
	// Settled is called once the processes and containers that were there before are known, too.
	Settled func()
	Limits  Limits
	Record  io.Writer // gets a trace of all that detectors saw; nil: nobody
	Capture *Capture  // nil: nothing is kept of what came before a finding
	Tally   bool      // count what each container does: see Activity
	// Proc is where processes that were there before are read; empty: /proc, "-": nowhere.
	Proc string
	// Processes are those that are there now, with all but their texts, which are read in Proc; nil, or where it fails: Proc has all.
	Processes func() ([]bulwark.Process, error)

	core *core
	once sync.Once
}

// Limits bound what is kept and told; 0 stands for what is said of each.
type Limits struct {
	Hold       time.Duration // how long events wait to know their container: 250 ms
	Held       int           // how many events wait at most: 16,384
	Window     time.Duration // how long repeats are counted before the count is told: a minute
	Groups     int           // how many different findings are told apart at a time: 16,384
	PerRule    int           // findings of a rule at once: 60, and one more each second
	Whole      int           // findings of all rules at once: 600, and ten more each second; critical ones pass
	Live, Gone int           // processes that are kept: 262,144 that live and 32,768 that ended
}

func (l *Limits) settle() {
	set := func(n *int, normal int) {
		if *n == 0 {
			*n = normal
		}
	}
	if l.Hold == 0 {
		l.Hold = 250 * time.Millisecond
	}
	if l.Window == 0 {
		l.Window = time.Minute
	}
	set(&l.Held, 16384)
	set(&l.Groups, 16384)
	set(&l.PerRule, 60)
	set(&l.Whole, 600)
}

func (w *Watcher) settle() {
	w.once.Do(func() {
		w.Limits.settle()
		if w.Now == nil {
			w.Now = time.Now
		}
		if w.Host.ID == "" {
			w.Host = bulwark.Asset{ID: "host:unknown", Kind: "host", Name: "this machine"}
		}
		w.core = newCore(w)
	})
}

// Interest is what sensors are asked for: all that detectors have to see, and what the tree of processes needs.
func (w *Watcher) Interest() bulwark.Interest {
	var wants []bulwark.Interest
	for _, d := range w.Detectors {
		wants = append(wants, interest(d))
	}
	return merge(wants)
}

// Run watches until ctx is done, and returns nil then. It returns the error of a sensor that cannot begin, which wraps
// ErrUnsupported or ErrUnavailable, that of the last one that is lost, and the handler's own when nobody takes what it tells.
func (w *Watcher) Run(ctx context.Context) error {
	w.settle()
	c := w.core
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	out := newOutput(w.Handler, cancel)
	c.tell = out.put
	if err := c.begin(w.Record); err != nil {
		return errors.Join(err, out.close())
	}
	var wg sync.WaitGroup
	loop, stop := context.WithCancel(ctx)
	wg.Go(func() { c.loop(loop) })
	err := w.sense(ctx, cancel)
	stop()
	wg.Wait()
	c.responses.end()
	c.lock()
	c.finish(out)
	c.unlock()
	failed := out.close()
	if cause := context.Cause(ctx); cause != nil && !errors.Is(cause, context.Canceled) && !errors.Is(cause, context.DeadlineExceeded) {
		failed = cause
	}
	return errors.Join(err, failed, c.recorded())
}

// sense runs the sensors until ctx is done, one cannot begin, or none is left.
func (w *Watcher) sense(ctx context.Context, stop context.CancelCauseFunc) error {
	want := w.core.want
	var seed sync.WaitGroup
	seed.Go(func() { w.core.seed(ctx) })
	defer seed.Wait()
	results := make(chan error, len(w.Sensors))
	waiting := len(w.Sensors)
	for _, s := range w.Sensors {
		began := false
		ready := sync.OnceFunc(func() {
			began = true
			w.core.lock()
			waiting--
			all := waiting == 0
			w.core.ready = all
			w.core.unlock()
			if all && w.Ready != nil {
				w.Ready()
			}
			walks := w.core.before.walks.Load()
			if all {
				w.core.seed(ctx) // with who began it
			}
			seed.Wait() // events wait in the sensor meanwhile
			w.core.refresh(ctx, walks)
			if all && w.Settled != nil {
				w.Settled()
			}
		})
		go func() {
			err := w.run(ctx, s, want, ready)
			switch {
			case err == nil || ctx.Err() != nil:
				err = nil
			case began:
				w.core.lost(s, err)
			default:
				stop(err) // the others are not to work without it
			}
			results <- err
		}()
	}
	var errs []error
	for range w.Sensors {
		if err := <-results; err != nil {
			errs = append(errs, err)
		}
	}
	if ctx.Err() != nil {
		return nil
	}
	return errors.Join(errs...)
}

// run is one sensor; a panic of it is its error.
func (w *Watcher) run(ctx context.Context, s bulwark.Sensor, want bulwark.Interest, ready func()) (err error) {
	defer func() {
		if r := recover(); r != nil {
			err = &bulwark.PluginError{Plugin: s.Info().Name, Err: fmt.Errorf("it panicked: %v", r)}
		}
	}()
	if err := s.Run(ctx, want, ready, w.core.batch); err != nil {
		return &bulwark.PluginError{Plugin: s.Info().Name, Err: err}
	}
	return nil
}

// Replay gives detectors what a trace recorded, and ends with it. The findings are those of the run that was
// recorded, where detectors and limits are the same.
func (w *Watcher) Replay(ctx context.Context, from io.Reader) error {
	r, err := trace.NewReader(from)
	if err != nil {
		return err
	}
	defer r.Close()
	w.Host, w.Boot = bulwark.Asset{ID: bulwark.AssetID(r.Header().Node), Kind: "host", Name: r.Header().Name}, r.Header().Boot
	w.settle()
	c := w.core
	c.replay = r
	var failed error
	c.tell = func(rec bulwark.Record) {
		if failed == nil {
			failed = w.Handler.Handle(rec)
		}
	}
	if err := c.begin(w.Record); err != nil {
		return err
	}
	c.unrecorded(r.Header())
	for n := 0; failed == nil; n++ {
		if n%1024 == 0 && ctx.Err() != nil {
			break
		}
		item, err := r.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			c.note("watch/trace", "the recording ends before its end: "+err.Error(), true)
			break
		}
		c.again(item)
	}
	if r.Unknown > 0 {
		c.note("watch/trace", fmt.Sprintf("%d events are of kinds that this program does not know", r.Unknown), true)
	}
	c.finish(nil)
	return errors.Join(failed, c.recorded())
}

// User is the account with that number where the process runs, by the passwd file there. It is for detectors, while they
// look at an event of the process; a trace knows only accounts that processes had.
func (w *Watcher) User(p *bulwark.Process, uid uint32) (User, bool) {
	w.settle()
	if p == nil {
		return User{}, false
	}
	return w.core.account(p, uid)
}

// Group names the group with that number where the process runs, as User does accounts.
func (w *Watcher) Group(p *bulwark.Process, gid uint32) (string, bool) {
	w.settle()
	if p == nil {
		return "", false
	}
	return w.core.group(p, gid)
}

// User is an account.
type User struct{ Name, Home, Shell string }

// Note tells a reader something, in its order among findings. It may be called at any time, by any goroutine but one that holds up events.
func (w *Watcher) Note(n bulwark.Note) {
	w.settle()
	w.core.lock()
	defer w.core.unlock()
	text := n.Text
	if n.Path != "" {
		text = n.Path + ": " + text
	}
	w.core.note(n.Plugin, text, n.Incomplete)
}

// Counts is what became of events, of every sensor.
func (w *Watcher) Counts() map[string][]bulwark.Count {
	all := map[string][]bulwark.Count{}
	for _, s := range w.Sensors {
		all[s.Info().Name] = append(all[s.Info().Name], s.Counts()...)
	}
	return all
}
