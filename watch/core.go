package watch

import (
	"context"
	"errors"
	"fmt"
	"io"
	"sync"
	"time"

	"bulwark"
	"bulwark/watch/internal/proc"
	"bulwark/watch/internal/tree"
	"bulwark/watch/internal/users"
	"bulwark/watch/trace"
)

// core is what a run knows. Whoever holds mu may use it.
type core struct {
	*Watcher
	mu        sync.Mutex
	tree      *tree.Tree
	cgroups   map[uint64]*cgroup
	held      int
	holding   []*cgroup // those with events that wait, the longest wait first
	wake      chan struct{}
	byKind    [][]*detector
	all       []*detector
	want      bulwark.Interest // of all detectors, and the engine's own
	users     users.Cache
	proc      proc.FS
	before    before
	asked     int // processes that /proc was asked about since the last tick
	replay    *trace.Reader
	tell      func(bulwark.Record)
	num       uint64
	clock     clock
	alerts    alerts
	traces    traces
	responses responses
	counted   map[string]*loss // by sensor and class
	activity  activity
	firsts    firsts
	self      self
	assets    map[bulwark.AssetID]bool
	overSaid  uint64
	began     time.Time
	// incomplete: something was told that could not be seen.
	incomplete bool
	ready      bool // all sensors began
}

// detector is one with what became of it.
type detector struct {
	bulwark.Detector
	name   string
	panics int
}

func newCore(w *Watcher) *core {
	c := &core{Watcher: w, cgroups: map[uint64]*cgroup{}, wake: make(chan struct{}, 1), counted: map[string]*loss{}, assets: map[bulwark.AssetID]bool{}}
	c.proc.Dir = w.Proc
	c.before.list = sync.OnceValue(c.first)
	o := tree.Options{Live: w.Limits.Live, Ended: w.Limits.Gone, Changed: c.changed, Forgotten: c.forgotten}
	if w.Proc != "-" {
		o.Read = c.ask
	}
	c.tree = tree.New(o)
	c.users.Proc = w.Proc
	if w.Tally {
		c.activity = activity{}
	}
	c.alerts.core = c
	c.tell = func(bulwark.Record) {} // nobody listens yet
	for _, d := range w.Detectors {
		c.all = append(c.all, &detector{Detector: d, name: d.Info().Name})
	}
	return c
}

func (c *core) lock()   { c.mu.Lock() }
func (c *core) unlock() { c.mu.Unlock() }

// begin tells of the run, and sorts detectors by what they want to see.
func (c *core) begin(record io.Writer) error {
	c.began = c.Now()
	c.self.beat = c.began
	about := c.About
	c.tell(bulwark.Record{Run: &about})
	var wants []bulwark.Interest
	for _, d := range c.all {
		want := interest(d.Detector)
		wants = append(wants, want)
		if want == nil {
			c.note(d.name, "it is lost: it panicked when it was asked what it has to see", true)
		}
		for k := range want {
			for int(k) >= len(c.byKind) {
				c.byKind = append(c.byKind, nil)
			}
		}
		for k := range want {
			c.byKind[k] = append(c.byKind[k], d)
		}
	}
	c.want = merge(wants)
	return c.traces.begin(c, record)
}

// batch takes what a sensor gives.
func (c *core) batch(events []bulwark.Event) error {
	c.lock()
	defer c.unlock()
	c.awake()
	for i := range events {
		c.event(&events[i])
	}
	c.release(false)
	return nil
}

// event is held where its container is not known yet, and goes on else.
func (c *core) event(e *bulwark.Event) {
	switch {
	case e.Kind == bulwark.KindCgroupMade && c.Containers != nil:
		id, _ := e.Arg("id")
		path, _ := e.Arg("path")
		c.Containers.Made(uint64(id.Num), string(path.Text), c.maker(e.Process))
	case e.Kind == bulwark.KindCgroupGone && c.Containers != nil:
		id, _ := e.Arg("id")
		c.Containers.Gone(uint64(id.Num))
		c.ended(uint64(id.Num))
	case e.Kind == bulwark.KindDrop:
		defer c.drops(false)
	}
	if e.Process == nil {
		c.see(e)
		return
	}
	if at := c.cgroup(e.Process); at != nil && (len(at.queue) > 0 || at.waits()) && c.hold(at, e) {
		return
	}
	c.deliver(e)
}

// maker is a process with what is known of it beside what its event tells: its arguments say which container it makes.
func (c *core) maker(told *bulwark.Process) *bulwark.Process {
	if told == nil {
		return nil
	}
	if known := c.tree.Find(told.PID, told.Start); known != nil {
		return known
	}
	return told
}

// deliver puts the event's process in place and lets detectors see it.
func (c *core) deliver(e *bulwark.Event) {
	e.Process = c.tree.Apply(e)
	c.place(e.Process, e)
	c.activity.event(e.Process)
	c.see(e)
	if e.Kind == bulwark.KindExec || e.Kind == kindExecAt {
		c.executed(e)
	}
}

var kindExecAt, _ = bulwark.KindNamed("execveat")

// see lets detectors see an event that is as it has to be.
func (c *core) see(e *bulwark.Event) {
	c.num++
	e.Num = c.num
	c.clock.at(e.Time)
	c.traces.event(e)
	if int(e.Kind) >= len(c.byKind) {
		return
	}
	for _, d := range c.byKind[e.Kind] {
		for _, f := range c.observe(d, e) {
			c.found(f, e, d)
		}
	}
}

// observe is one detector's look at an event. One that panics sees the next event all the same: else an event that
// makes it panic would switch it off.
func (c *core) observe(d *detector, e *bulwark.Event) (found []bulwark.Finding) {
	defer c.caught(d)
	return d.Observe(e)
}

func (c *core) caught(d *detector) {
	r := recover()
	if r == nil {
		return
	}
	if d.panics++; d.panics == 1 {
		c.note(d.name, fmt.Sprintf("it panicked, and did not see an event to its end: %v", r), true)
	}
}

// again is one item of a trace.
func (c *core) again(item trace.Item) {
	if item.Event == nil {
		c.tick(time.Unix(0, item.Tick).UTC())
		return
	}
	c.see(item.Event)
}

// loop tells the time, and lets events go that waited for long enough.
func (c *core) loop(ctx context.Context) {
	second := time.NewTicker(time.Second)
	defer second.Stop()
	const step = 5 * time.Millisecond
	soon := time.NewTimer(step)
	defer soon.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-c.wake:
			soon.Reset(step)
			continue
		case <-soon.C:
			c.lock()
			if c.release(false); c.held > 0 {
				soon.Reset(step)
			}
		case <-second.C:
			c.lock()
			c.second(c.Now())
		}
		c.unlock()
	}
}

// second is what a live run does each second.
func (c *core) second(now time.Time) {
	c.asked = 0
	c.alive(now)
	c.drops(false)
	c.tick(now)
	c.freshen()
	if over := c.tree.Over(); over > c.overSaid {
		c.note("watch", fmt.Sprintf("more processes run than are kept: %d are known by their events alone", over-c.overSaid), true)
		c.overSaid = over
	}
}

// tick tells detectors and findings the time.
func (c *core) tick(now time.Time) {
	c.clock.at(now.UnixNano())
	c.tree.Expire(now.UnixNano())
	c.traces.tick(now.UnixNano())
	for _, d := range c.all {
		for _, f := range c.ticked(d, now) {
			c.found(f, nil, d)
		}
	}
	c.alerts.flush(false)
}

func (c *core) ticked(d *detector, now time.Time) []bulwark.Finding {
	t, ok := d.Detector.(bulwark.Ticker)
	if !ok {
		return nil
	}
	defer c.caught(d)
	return t.Tick(now)
}

// note tells at once what a reader should know.
func (c *core) note(plugin, text string, incomplete bool) {
	if c.incomplete = c.incomplete || incomplete; !c.alerts.mayNote() {
		return
	}
	c.tell(bulwark.Record{Note: &bulwark.Note{Plugin: plugin, Text: text, Incomplete: incomplete}})
}

func (c *core) lost(s bulwark.Sensor, err error) {
	c.lock()
	defer c.unlock()
	if of := (*bulwark.PluginError)(nil); errors.As(err, &of) {
		err = of.Err
	}
	c.note(s.Info().Name, "it is lost: "+err.Error()+"; nothing that it would see is seen from here on", true)
}

// clock is a time that never goes back: that of events and ticks, without the jumps.
type clock struct{ last, now int64 }

const jump = int64(time.Second)

func (k *clock) at(t int64) {
	switch {
	case k.last == 0:
		k.last = t
	case t > k.last:
		k.now += t - k.last
		k.last = t
	case k.last-t > jump: // the clock was set back
		k.last = t
	}
}
