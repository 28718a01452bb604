package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/netip"
	"os"
	"os/exec"
	"runtime"
	"strconv"
	"syscall"
	"time"

	"bulwark"
	"bulwark/detect/rules"
	"bulwark/source/kernel"
	"bulwark/watch"
	"bulwark/watch/trace"
)

// leastRules is how many rules are run at least: files are read again, their rules under other names, until
// there are so many.
const leastRules = 93

// ruling measures what events cost by the way from the sensor to the rules: in the engine, with the events of a busy node
// that are made up, or with those of a recording; and from the kernel's ring on, where this process may use it.
// Wall-clock figures are of one processor, since the engine uses one.
func ruling(file, recording string) error {
	if file == "" {
		return fmt.Errorf("usage: bench ruling RULES [RECORDING]")
	}
	d, err := manyRules(file)
	if err != nil {
		return err
	}
	list, name := busyNode(), "a busy node, made up"
	if recording != "" {
		if list, err = recorded(recording); err != nil {
			return err
		}
		name = recording
	}
	fmt.Printf("%s: %d events, %d rules\n", name, len(list), d.Len())
	if err := onRules(d, list); err != nil {
		return err
	}
	if recording == "" {
		for _, rules := range []bool{false, true} {
			if err := inEngine(d, list, rules); err != nil {
				return err
			}
		}
	}
	return fromRing(d)
}

func manyRules(file string) (*rules.Detector, error) {
	data, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	files := []rules.File{{Name: file, Data: data}}
	for n := 2; ; n++ {
		d, problems := rules.New(rules.Options{Files: files})
		for _, p := range problems {
			if !p.Warning {
				return nil, errors.New(p.String())
			}
		}
		if d.Len() >= leastRules || d.Len() == 0 {
			return d, nil
		}
		again := bytes.ReplaceAll(data, []byte("\n- rule: "), fmt.Appendf(nil, "\n- rule: %d ", n))
		files = append(files, rules.File{Name: file, Data: again})
	}
}

// perSecond tells of n events in a time.
func perSecond(what string, n int, took time.Duration, allocated uint64) {
	fmt.Printf("%-28s %9.0f events/s a processor, %5.0f ns an event, %.3f allocations an event\n",
		what, float64(n)/took.Seconds(), float64(took.Nanoseconds())/float64(n), float64(allocated)/float64(n))
}

// measured runs do until it took a while, and gives how often, how long and how many allocations.
func measured(do func() error) (n int, took time.Duration, allocated uint64, err error) {
	if err := do(); err != nil { // what is made once
		return 0, 0, 0, err
	}
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	start := processor()
	for took < 2*time.Second {
		if err := do(); err != nil {
			return 0, 0, 0, err
		}
		n++
		took = processor() - start
	}
	runtime.ReadMemStats(&after)
	return n, took, after.Mallocs - before.Mallocs, nil
}

// onRules gives events, with their processes in place, to the rules alone.
func onRules(d *rules.Detector, list []bulwark.Event) error {
	fired := 0
	n, took, allocated, err := measured(func() error {
		for i := range list {
			fired += len(d.Observe(&list[i]))
		}
		return nil
	})
	perSecond("rules", n*len(list), took, allocated)
	if fired > 0 {
		fmt.Printf("%-28s %d findings of a run, which allocate\n", "", fired/(n+1))
	}
	return err
}

// inEngine gives the events to the whole engine as a sensor does: process tree, containers, detectors.
func inEngine(d *rules.Detector, list []bulwark.Event, with bool) error {
	s := &player{list: list}
	w := &watch.Watcher{Sensors: []bulwark.Sensor{s}, Containers: boxes{}, Handler: deaf{}, Proc: "-", Detectors: []bulwark.Detector{seer{}}}
	what := "tree and containers"
	if with {
		w.Detectors = append(w.Detectors, d)
		what = "tree, containers and rules"
	}
	ctx, cancel := context.WithCancel(context.Background())
	s.done = cancel
	err := w.Run(ctx)
	perSecond(what, s.n*len(list), s.took, s.allocated)
	return errors.Join(err, s.err)
}

// player is a sensor that gives the same events over and over, in pieces as a ring does.
type player struct {
	list      []bulwark.Event
	done      func()
	n         int
	took      time.Duration
	allocated uint64
	err       error
}

func (*player) Info() bulwark.Info           { return bulwark.Info{Name: "player"} }
func (*player) Abilities() []bulwark.Ability { return nil }
func (*player) Counts() []bulwark.Count      { return nil }

func (p *player) Run(ctx context.Context, _ bulwark.Interest, ready func(), emit func([]bulwark.Event) error) error {
	ready()
	batch, own := make([]bulwark.Event, 64), make([]bulwark.Process, 64)
	p.n, p.took, p.allocated, p.err = measured(func() error {
		for at := 0; at < len(p.list); at += len(batch) {
			n := copy(batch, p.list[at:])
			for i := range n { // the engine puts its own process in the place
				own[i] = *batch[i].Process
				own[i].Parent, own[i].Container = nil, nil
				batch[i].Process = &own[i]
			}
			if err := emit(batch[:n]); err != nil {
				return err
			}
		}
		return nil
	})
	p.done()
	return nil
}

// seer wants all events and sees nothing in them.
type seer struct{}

func (seer) Info() bulwark.Info { return bulwark.Info{Name: "seer"} }
func (seer) Interest() bulwark.Interest {
	want := bulwark.Interest{}
	for _, k := range bulwark.Kinds() {
		want[k] = []bulwark.Where{{}}
	}
	return want
}
func (seer) Observe(*bulwark.Event) []bulwark.Finding { return nil }

type deaf struct{}

func (deaf) Handle(bulwark.Record) error { return nil }

// boxes are containers by their cgroups: those from 1000 on are some.
type boxes struct{}

var someBoxes = func() (list []*bulwark.Container) {
	for i := range 20 {
		id := fmt.Sprintf("%064x", 0xabcdef+i)
		list = append(list, &bulwark.Container{ID: id, Name: "box-" + strconv.Itoa(i), Image: "registry.example/team/app:1", Engine: "docker"})
	}
	return list
}()

func (boxes) Walk(context.Context) error                                { return nil }
func (boxes) Made(uint64, string, *bulwark.Process)                     {}
func (boxes) Gone(uint64)                                               {}
func (boxes) Process(int, uint64) (*bulwark.Container, <-chan struct{}) { return nil, nil }
func (boxes) Lookup(cgroup uint64) (*bulwark.Container, <-chan struct{}, bool) {
	if cgroup < 1000 {
		return nil, nil, true
	}
	return someBoxes[cgroup%uint64(len(someBoxes))], nil, true
}

// recorded are the first events of a recording.
func recorded(file string) (list []bulwark.Event, err error) {
	f, err := os.Open(file)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	r, err := trace.NewReader(f)
	if err != nil {
		return nil, err
	}
	defer r.Close()
	for len(list) < 200_000 {
		item, err := r.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, err
		}
		if item.Event != nil {
			list = append(list, *item.Event.Clone())
		}
	}
	if len(list) == 0 {
		return nil, fmt.Errorf("%s has no events", file)
	}
	return list, nil
}

// busyNode is what a node sees that builds, serves and asks for things: two hundred processes, most in containers.
func busyNode() []bulwark.Event {
	const processes = 200
	var all []*bulwark.Process
	for i := range processes {
		p := &bulwark.Process{
			PID: 1000 + i, PPID: 1, Start: int64(1000 + i), Name: []string{"nginx", "go", "compile", "postgres", "node", "python3"}[i%6], Exe: "/usr/bin/app",
			Path: "/usr/local/bin/app", Args: []string{"--config", "/etc/app/config.yaml", "--listen", "0.0.0.0:8080", "serve"}, CWD: "/srv/app", UID: 1000,
			Cgroup: uint64(i % 4 * (1000 + i%20)), File: bulwark.Program{Lower: true},
		}
		if i >= 4 {
			p.Parent, p.PPID = all[i/4], all[i/4].PID
		}
		if p.Cgroup >= 1000 {
			p.Container = someBoxes[p.Cgroup%uint64(len(someBoxes))]
		}
		all = append(all, p)
	}
	var list []bulwark.Event
	for i := range 4096 {
		e := deed(i)
		e.Process = all[i*7%processes]
		e.TID, e.Time, e.Source = e.Process.PID, 1_700_000_000_000_000_000+int64(i)*1000, bulwark.SourceSyscall
		list = append(list, e)
	}
	return list
}

var busyPaths = []string{"/usr/lib/x86_64-linux-gnu/libc.so.6", "/proc/self/stat", "/srv/app/cache/0123456789abcdef", "/etc/ld.so.cache", "/var/lib/postgresql/16/main/base/5/1259",
	"/root/.cache/go-build/5d/5d1c2f-d", "/usr/share/zoneinfo/UTC", "/etc/resolv.conf", "/tmp/build-2231/x.o", "/dev/null"}

// deed is the i-th thing that happens.
func deed(i int) bulwark.Event {
	path := []byte(busyPaths[i%len(busyPaths)])
	arg := func(n int64) bulwark.Arg { return bulwark.Arg{Num: n} }
	socket := bulwark.FD{Num: 7, Kind: bulwark.FDIPv4, Proto: 6, Local: netip.MustParseAddrPort("10.1.2.3:40000"), Remote: netip.MustParseAddrPort("10.1.9.9:5432"), Connected: true}
	switch n := i % 20; {
	case n < 11: // opens for reading, and for writing, and of what is not there
		flags := []int64{0o2000000, 0o2000000, 0o1102}[i%3]
		e := bulwark.Event{Kind: kindNamed("openat"), Result: 5, Args: []bulwark.Arg{arg(5), arg(-100), {Text: path}, arg(flags), arg(0o644)}}
		if n == 0 {
			e.Result, e.Args[0].Num = -2, -2
			return e
		}
		e.FD = bulwark.FD{Num: 5, Kind: bulwark.FDFile, Name: path, Raw: path, Inode: uint64(i)}
		return e
	case n < 14:
		return bulwark.Event{Kind: kindNamed("connect"), Result: -115, FD: socket, Args: []bulwark.Arg{arg(-115), {}, arg(7), {}}}
	case n == 14:
		socket.Server = true
		return bulwark.Event{Kind: kindNamed("accept4"), Result: 7, FD: socket, Args: []bulwark.Arg{arg(7)}}
	case n == 15:
		return bulwark.Event{Kind: kindNamed("dup2"), Result: 5, FD: bulwark.FD{Num: 5, Kind: bulwark.FDPipe}, Args: []bulwark.Arg{arg(5), arg(4), arg(5)}}
	case n == 16:
		return bulwark.Event{Kind: kindNamed("unlinkat"), Args: []bulwark.Arg{arg(0), arg(-100), {Text: path}, arg(0)}}
	case n == 17:
		return bulwark.Event{Kind: kindNamed("rename"), Args: []bulwark.Arg{arg(0), {Text: path}, {Text: path}}}
	case n == 18:
		return bulwark.Event{Kind: kindNamed("socket"), Result: 7, Args: []bulwark.Arg{arg(7), arg(2), arg(1), arg(0)}}
	}
	return bulwark.Event{Kind: kindNamed("fchmodat"), Args: []bulwark.Arg{arg(0), arg(-100), {Text: path}, arg(0o644)}}
}

func kindNamed(name string) bulwark.Kind {
	k, ok := bulwark.KindNamed(name)
	if !ok {
		panic(name)
	}
	return k
}

// fromRing has another process open files as fast as it can, and tells what each event that the kernel gives costs this
// one: reading the ring, decoding, process tree, containers, and the rules.
func fromRing(d *rules.Detector) error {
	if os.Geteuid() != 0 {
		fmt.Println("from the ring: not measured, it needs root")
		return nil
	}
	for _, with := range []bool{false, true} {
		if err := ringed(d, with); err != nil {
			return err
		}
	}
	return nil
}

func ringed(d *rules.Detector, with bool) error {
	s, counts := kernel.New(), &opens{}
	w := &watch.Watcher{Sensors: []bulwark.Sensor{s}, Handler: deaf{}, Detectors: []bulwark.Detector{counts}}
	what := "ring to rule input"
	if with {
		w.Detectors = append(w.Detectors, d)
		what = "ring to rules, all of it"
	}
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	var took time.Duration
	var seen int
	var allocated uint64
	var storm error
	w.Ready = func() {
		go func() {
			defer cancel()
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			start := processor()
			storm = storms(3 * time.Second)
			time.Sleep(200 * time.Millisecond) // what is still in the ring
			took, seen = processor()-start, counts.n
			runtime.ReadMemStats(&after)
			allocated = after.Mallocs - before.Mallocs
		}()
	}
	if err := errors.Join(w.Run(ctx), storm); err != nil {
		return err
	}
	if seen == 0 {
		return errors.New("the kernel's sensor gave no events")
	}
	perSecond(what, seen, took, allocated)
	for _, c := range s.Counts() {
		if c.Dropped > 0 {
			fmt.Printf("%-28s %d of class %s dropped: the processor was another's\n", "", c.Dropped, c.Class)
		}
	}
	return nil
}

// storms runs the job "calls" for so long.
func storms(d time.Duration) error {
	self, err := os.Executable()
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(context.Background(), d)
	defer cancel()
	cmd := exec.CommandContext(ctx, self, "storm")
	err = cmd.Run()
	if ctx.Err() != nil {
		return nil
	}
	return err
}

// storm opens a file until it is killed.
func storm() error {
	for {
		if fd, err := syscall.Open("/etc/hostname", syscall.O_RDONLY, 0); err == nil {
			syscall.Close(fd)
		}
	}
}

// opens counts all opens.
type opens struct{ n int }

func (*opens) Info() bulwark.Info { return bulwark.Info{Name: "opens"} }
func (*opens) Interest() bulwark.Interest {
	return bulwark.Interest{kindNamed("openat"): {{}}, kindNamed("open"): {{}}}
}
func (o *opens) Observe(*bulwark.Event) []bulwark.Finding { o.n++; return nil }
