package profile

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/netip"
	"os"
	"strings"
	"sync"
	"time"

	"bulwark"
	"bulwark/detect/internal/family"
	"bulwark/detect/internal/recent"
	"bulwark/detect/internal/who"
)

// Options say where profiles are, and what is done with them.
type Options struct {
	Folder string
	// Learn: what containers do is added to the profiles, and is no deviation.
	Learn bool
	// For and Starts end the learning of an image, when its containers ran for so long and were started so often: from then on
	// deviations are told. Both 0: it never ends.
	For    time.Duration
	Starts int
	Arch   string // of the node
	// Granted: a sensor sees capabilities as they are used.
	Granted bool
	// Note tells what a reader of findings should know; nil: nobody.
	Note func(bulwark.Note)
}

// Detector learns, and tells of deviations. See [New].
type Detector struct {
	*family.Family
	Options
	profiles map[string]*entry // by key
	boxes    *recent.Table[string, box]
	cgroups  *recent.Table[uint64, string] // ids of containers
	pods     *recent.Table[netip.Addr, Pod]
	missing  map[string]bool // images without a profile
	now      int64
	saved    int64
	writing  sync.WaitGroup
	mu       sync.Mutex
	waiting  map[string][]byte // texts to be written, by file
	writes   bool              // a writer is at work
	failed   error             // of the last write
	saidFail bool
	subject  string // of what is being told
}

// entry is a profile in use.
type entry struct {
	*Profile
	key      string
	nanos    int64 // that are no whole second yet
	changed  bool  // there is something new
	aged     bool  // only time passed
	learning bool
}

// box is a container.
type box struct {
	known  bool
	as     *bulwark.Container // as it was known last: the engine tells more of it by another one
	entry  *entry
	cgroup uint64
	last   int64 // until when its time is counted
	over   bool
	first  int64 // Start of its first program
	name   string
	asked  int64 // when, for the name
}

var (
	_ bulwark.Detector = (*Detector)(nil)
	_ bulwark.Ticker   = (*Detector)(nil)
	_ bulwark.Ruler    = (*Detector)(nil)
)

// New opens the profiles of a folder, which is made where it is missing and something is to be learned. Close must be called.
func New(o Options) (*Detector, error) {
	if o.Note == nil {
		o.Note = func(bulwark.Note) {}
	}
	if o.Learn {
		if err := os.MkdirAll(o.Folder, 0o700); err != nil {
			return nil, err
		}
	}
	d := &Detector{
		Options: o, profiles: map[string]*entry{}, missing: map[string]bool{},
		boxes: recent.NewTable[string, box](4096), cgroups: recent.NewTable[uint64, string](8192), pods: recent.NewTable[netip.Addr, Pod](8192),
	}
	found, err := Folder(o.Folder, func(file string, err error) {
		o.Note(bulwark.Note{Plugin: "detect/profile", Path: file, Text: err.Error(), Incomplete: true})
	})
	if err != nil {
		return nil, err
	}
	for key, p := range found {
		e := &entry{Profile: p, key: key}
		d.profiles[key] = e
		e.learning = d.learns(p)
		if why := p.Thin(); why != "" && !e.learning {
			o.Note(bulwark.Note{Plugin: "detect/profile", Path: FileName(key), Text: "deviations from the profile of " + p.name() + " may be what it never saw: " + why})
		}
	}
	d.Family = list(d)
	return d, nil
}

// name is what people call the image.
func (p *Profile) name() string {
	for _, s := range []string{p.Image, p.ID, p.Digest} {
		if s != "" {
			return family.Clean(s)
		}
	}
	return "an image"
}

// learns tells whether a profile is still learned.
func (d *Detector) learns(p *Profile) bool {
	if !d.Learn {
		return false
	}
	if d.For == 0 && d.Starts == 0 {
		return true
	}
	return time.Duration(p.Seconds)*time.Second < d.For || p.Starts < d.Starts
}

// Observe looks at an event.
func (d *Detector) Observe(e *bulwark.Event) []bulwark.Finding {
	found := d.Family.Observe(e)
	for i := range found {
		found[i].Subject = d.subject // those of one event are of one rule
	}
	return found
}

// of finds the profile of an event's container; nil: there is none, or the event is the runtime's own.
func (d *Detector) of(h *family.Hit) *entry {
	c := h.C
	if c == nil || c.ID == "" {
		return nil
	}
	if h.Time > d.now {
		d.now = h.Time
	}
	b := d.boxes.Of(c.ID)
	if !b.known || b.as != c {
		d.meet(b, c, h)
	}
	b.over = false
	if h.P.Cgroup != b.cgroup && h.P.Cgroup != 0 {
		b.cgroup = h.P.Cgroup
		*d.cgroups.Of(b.cgroup) = c.ID
	}
	return b.entry
}

// meet takes a container that was not seen before, or of which more is known.
func (d *Detector) meet(b *box, c *bulwark.Container, h *family.Hit) {
	if !b.known {
		*b = box{known: true, last: h.Time}
	}
	b.as = c
	if c.Pod != nil && c.Pod.IP != "" || c.IP != "" {
		d.address(c)
	}
	key := Key(c)
	if key == "" || b.entry != nil && b.entry.key == key {
		return
	}
	e := d.profiles[key]
	if e == nil {
		if !d.Learn || len(d.profiles) >= mostProfiles {
			d.without(c, key)
			return
		}
		e = &entry{Profile: newProfile(), key: key, learning: true, changed: true}
		e.Arch, e.From = d.Arch, time.Unix(0, h.Time).UTC()
		d.profiles[key] = e
	}
	first := b.entry == nil
	b.entry = e
	if !e.learning {
		return
	}
	e.ID, e.Digest, e.Image = c.ImageID, c.Digest, c.Image
	if first && !(who.First(h.P) && !h.P.Before) && b.first == 0 && c.Started != 0 && h.Time-c.Started > int64(10*time.Second) {
		e.Others++
	}
	for _, m := range c.Mounts {
		if len(e.Volumes) < mostChanges && m.Dest != "" {
			e.Volumes[m.Dest] = e.Volumes[m.Dest] || m.Write
		}
	}
	if c.Pod != nil {
		e.Namespace, e.Labels = c.Pod.Namespace, labels(c.Pod.Labels)
	}
}

// address remembers whose an address is.
func (d *Detector) address(c *bulwark.Container) {
	if c.Pod == nil || c.HostNetwork {
		return
	}
	ip := c.Pod.IP
	if ip == "" {
		ip = c.IP
	}
	if a, err := netip.ParseAddr(ip); err == nil && len(c.Pod.Labels) > 0 {
		*d.pods.Of(a.Unmap()) = Pod{c.Pod.Namespace, labels(c.Pod.Labels)}
	}
}

// passing are labels that change with every pod or every version of its template.
var passing = who.Names("pod-template-hash controller-revision-hash pod-template-generation statefulset.kubernetes.io/pod-name apps.kubernetes.io/pod-index batch.kubernetes.io/controller-uid controller-uid batch.kubernetes.io/job-name job-name")

func labels(all map[string]string) map[string]string {
	few := map[string]string{}
	for k, v := range all {
		if !passing[k] && len(few) < 32 {
			few[k] = v
		}
	}
	return few
}

// pod is the one that has an address, or nil.
func (d *Detector) pod(a netip.Addr) *Pod {
	p := d.pods.Get(a)
	if p == nil {
		return nil
	}
	c := *p
	return &c
}

func (d *Detector) without(c *bulwark.Container, key string) {
	if d.missing[key] || len(d.missing) >= 200 {
		return
	}
	d.missing[key] = true
	name := c.Image
	if name == "" {
		name = key
	}
	d.Note(bulwark.Note{Plugin: "detect/profile", Text: "containers of " + family.Clean(name) + " are compared with nothing: there is no profile of the image in " + d.Folder + " (make one: bulwark watch --learn " + d.Folder + ")"})
}

// use is the event of a hit.
func use(h *family.Hit, what string) *Use {
	u := &Use{At: time.Unix(0, h.Time).UTC(), Event: h.Kind.String(), By: family.Clean(h.P.Path), PID: h.P.PID, UID: h.P.UID, What: family.Clean(what)}
	if u.By == "" {
		u.By = family.Clean(h.P.Name)
	}
	if h.C != nil {
		u.Container = h.C.ShortID()
	}
	if who.ByEngine(h.P) {
		u.What = strings.TrimSpace(u.What + " (brought into the container from without)")
	}
	return u
}

// saw tells an entry that it has something new.
func (e *entry) saw(h *family.Hit) {
	e.changed = true
	if at := time.Unix(0, h.Time).UTC(); at.After(e.To) {
		e.To = at
	}
}

// Tick counts the time of containers, and writes what changed.
func (d *Detector) Tick(now time.Time) []bulwark.Finding {
	d.now = now.UnixNano()
	d.boxes.Each(func(_ string, b *box) bool {
		if b.entry == nil || b.over {
			b.last = d.now
			return true
		}
		b.count(d.now)
		return true
	})
	for _, e := range d.profiles {
		if e.learning && !d.learns(e.Profile) {
			e.learning, e.changed = false, true
			d.Note(bulwark.Note{Plugin: "detect/profile", Path: FileName(e.key), Text: "the profile of " + e.name() + " is learned: deviations from it are told from here on"})
		}
	}
	if d.saved == 0 {
		d.saved = d.now
	}
	if d.now-d.saved >= int64(saveEvery) {
		d.saved = d.now
		d.save(false)
	}
	return d.Family.Tick(now)
}

// saveEvery is how often profiles are written that have something new.
const saveEvery = 15 * time.Second

// most is what a clock that jumps can add to the time of a container at once.
const most = int64(5 * time.Second)

// count adds the time since the last look at a container.
func (b *box) count(now int64) {
	if passed := now - b.last; passed > 0 && b.entry.learning {
		b.entry.nanos += min(passed, most)
		b.entry.Seconds += b.entry.nanos / int64(time.Second)
		b.entry.nanos %= int64(time.Second)
		b.entry.aged = true
	}
	b.last = now
}

// save writes profiles that changed; with all, those in which only time passed as well.
func (d *Detector) save(all bool) {
	d.mu.Lock()
	failed := d.failed
	d.mu.Unlock()
	if failed != nil && !d.saidFail {
		d.saidFail = true
		d.Note(bulwark.Note{Plugin: "detect/profile", Text: "a profile cannot be written: " + failed.Error(), Incomplete: true})
	}
	for _, e := range d.profiles {
		if !e.changed && !(all && e.aged) {
			continue
		}
		e.changed, e.aged = false, false
		data, err := e.text(d.Granted)
		if err != nil {
			continue
		}
		d.queue(FileName(e.key), data)
	}
}

// queue has a file written, behind those that wait: what is newer is never overtaken.
func (d *Detector) queue(name string, data []byte) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.waiting == nil {
		d.waiting = map[string][]byte{}
	}
	d.waiting[name] = data
	if !d.writes {
		d.writes = true
		d.writing.Go(d.writer)
	}
}

// writer writes until nothing waits.
func (d *Detector) writer() {
	d.mu.Lock()
	defer d.mu.Unlock()
	for len(d.waiting) > 0 {
		for name, data := range d.waiting {
			delete(d.waiting, name)
			d.mu.Unlock()
			err := write(d.Folder, name, data)
			d.mu.Lock()
			if err != nil {
				d.failed = err
			}
			break
		}
	}
	d.writes = false
}

func (p *Profile) text(granted bool) ([]byte, error) {
	p.Granted = p.Granted || granted
	data, err := json.MarshalIndent(p, "", " ")
	return append(data, '\n'), err
}

// Write writes the profile to its file of the folder, which is replaced as a whole.
func (p *Profile) Write(dir, name string) error {
	data, err := p.text(false)
	if err != nil {
		return err
	}
	return write(dir, name, data)
}

// Close writes all that was learned.
func (d *Detector) Close() error {
	if !d.Learn {
		return nil
	}
	d.save(true)
	d.writing.Wait()
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.failed != nil {
		return fmt.Errorf("writing profiles: %w", errors.Join(d.failed))
	}
	return nil
}

// Learned is how many profiles there are, and how many of them are thin.
func (d *Detector) Learned() (all, thin int) {
	for _, e := range d.profiles {
		all++
		if e.Thin() != "" {
			thin++
		}
	}
	return all, thin
}

// Listed is the family without profiles, for who lists or explains its rules.
func Listed() *family.Family { return list(&Detector{}) }

func list(d *Detector) *family.Family {
	return family.New("profile", "Finds what containers do that those of their image never did.", d.rules())
}
