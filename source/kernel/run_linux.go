//go:build amd64 || arm64

package kernel

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"sync/atomic"
	"time"

	"github.com/cilium/ebpf"
	"github.com/cilium/ebpf/btf"
	"github.com/cilium/ebpf/link"
	"golang.org/x/sys/unix"

	"bulwark"
)

// Run gives what meets the interest: see [bulwark.Sensor]. A system call that this kernel does not have is left out.
func (s *Sensor) Run(ctx context.Context, want bulwark.Interest, ready func(), emit func([]bulwark.Event) error) error {
	if missing := missing(); missing != "" {
		return fmt.Errorf("seeing what the kernel does needs %s: %w", missing, bulwark.ErrUnsupported)
	}
	r := &run{Sensor: s, decoder: newDecoder()}
	defer r.close()
	if err := r.load(newPlan(want)); err != nil {
		return err
	}
	s.mu.Lock()
	s.count = r.counts
	s.mu.Unlock()
	defer r.ended()
	ready()
	return r.loop(ctx, emit)
}

// run is one run of a sensor: what it holds of the kernel.
type run struct {
	*Sensor
	programs *ebpf.Collection
	tracing  *tracing
	links    []link.Link
	points   []int // descriptors of tracepoints
	critical *ring
	volume   *ring
	decoder  *decoder
	groups   hierarchy
	dropped  [len(classes)]uint64
	bad      uint64        // records that could not be read
	missed   atomic.Uint64 // see interrupted
	asked    atomic.Int64
}

func (r *run) ended() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.asked.Store(0)
	r.last, r.count = r.counts(), nil
	for i := range classes {
		r.Sensor.lost[i] = r.decoder.lost(i)
	}
}

func (r *run) close() {
	r.detach()
	for _, fd := range r.points {
		unix.Close(fd)
	}
	for _, m := range []*ring{r.critical, r.volume} {
		if m != nil {
			m.close()
		}
	}
	if r.programs != nil {
		r.programs.Close()
	}
	if r.tracing != nil {
		r.tracing.close()
	}
}

func (r *run) load(p *plan) error {
	spec, err := loadSensor()
	if err != nil {
		return err
	}
	spec.Maps["critical"].MaxEntries = max(r.Critical, 1<<22)
	if r.Critical != 0 {
		spec.Maps["critical"].MaxEntries = r.Critical
	}
	spec.Maps["volume"].MaxEntries = 1 << 23
	if r.Volume != 0 {
		spec.Maps["volume"].MaxEntries = r.Volume
	}
	if err := r.settle(spec); err != nil {
		return err
	}
	if err := spec.Variables["climbs"].Set(p.climbs); err != nil {
		return err
	}
	for name := range spec.Programs {
		if !p.uses(name) {
			delete(spec.Programs, name)
		}
	}
	if r.programs, err = ebpf.NewCollection(spec); err != nil {
		return refused("loading the sensor's programs", err)
	}
	if err := p.tell(r.programs.Maps); err != nil {
		return fmt.Errorf("telling the kernel what is wanted: %w", err)
	}
	r.seedCgroups()
	if err := r.freeze(); err != nil {
		return err
	}
	if r.critical, err = openRing(r.programs.Maps["critical"]); err != nil {
		return err
	}
	if r.volume, err = openRing(r.programs.Maps["volume"]); err != nil {
		return err
	}
	return r.attach(p)
}

// settle sets what the programs know of this machine.
func (r *run) settle(spec *ebpf.CollectionSpec) error {
	if !r.Self {
		if err := spec.Variables["own"].Set(uint32(os.Getpid())); err != nil {
			return err
		}
	}
	host, err := hostMount()
	if err != nil {
		return err
	}
	if err := spec.Variables["host_mount"].Set(host); err != nil {
		return err
	}
	if r.groups, err = r.hierarchy(); err != nil {
		return err
	}
	if err := spec.Variables["v1_hierarchy"].Set(r.groups.id); err != nil {
		return err
	}
	return spec.Variables["v1_subsystem"].Set(r.groups.subsystem)
}

// hostMount is the number of the mount namespace that the node's own programs have.
func hostMount() (uint32, error) {
	var st unix.Stat_t
	err := unix.Stat("/proc/1/ns/mnt", &st)
	if err != nil {
		err = unix.Stat("/proc/self/ns/mnt", &st)
	}
	if err != nil {
		return 0, fmt.Errorf("reading the mount namespace: %w", err)
	}
	return uint32(st.Ino), nil
}

func refused(what string, err error) error {
	if errors.Is(err, unix.EPERM) || errors.Is(err, ebpf.ErrNotSupported) || errors.Is(err, unix.EINVAL) {
		return fmt.Errorf("%s: %w: %w", what, bulwark.ErrUnsupported, err)
	}
	return fmt.Errorf("%s: %w", what, err)
}

// raws are the programs at raw tracepoints.
var raws = map[string]uint32{
	"on_exec": evExec, "on_fork": evFork, "on_exit": evExit, "on_cgroup_made": evCgroupMade, "on_cgroup_gone": evCgroupGone,
	"on_signal": evSignal, "on_iouring": evIOURing,
}

// always are the raw tracepoints without which it is not known what is in a container.
var always = []string{"on_exec", "on_cgroup_made", "on_cgroup_gone"}

var rawNames = map[string]string{
	"on_exec": "sched_process_exec", "on_fork": "sched_process_fork", "on_exit": "sched_process_exit", "on_cgroup_made": "cgroup_mkdir",
	"on_cgroup_gone": "cgroup_rmdir", "on_signal": "signal_generate", "on_iouring": "io_uring_submit_req",
	"on_state": "inet_sock_set_state",
}

func (p *plan) uses(program string) bool {
	if ev, raw := raws[program]; raw {
		return p.calls[ev] != nil || slices.Contains(always, program)
	}
	switch program {
	case "on_oom":
		return p.calls[evOOM] != nil
	case "on_close":
		return p.calls[evClose] != nil
	case "on_egress", "on_ingress", "on_state":
		return p.packets()
	}
	return true
}

// packets tells whether any event of packets is wanted, and may be had.
func (p *plan) packets() bool {
	return (p.calls[evPayload] != nil || p.calls[evDNS] != nil || p.calls[evFlow] != nil) && noPackets() == ""
}

// tell fills the maps.
func (p *plan) tell(maps map[string]*ebpf.Map) error {
	for nr, c := range p.calls {
		if err := maps["calls"].Put(nr, c); err != nil {
			return err
		}
	}
	for text, sets := range p.paths {
		if err := maps["paths"].Put(keyOf(text), sets); err != nil {
			return err
		}
	}
	for text, sets := range p.ends {
		if err := maps["ends"].Put(keyOf(text), sets); err != nil {
			return err
		}
	}
	for name, by := range map[string]*[4096]uint64{"heads": pairs(p.paths), "tails": pairs(p.ends)} {
		for i, sets := range by {
			if sets == 0 {
				continue
			}
			if err := maps[name].Put(uint32(i), sets); err != nil {
				return err
			}
		}
	}
	for port, sets := range p.ports {
		if err := maps["ports"].Put(port, sets); err != nil {
			return err
		}
	}
	for n, sets := range p.nets {
		if err := maps["nets"].Put(netKey{uint32(n.Bits()), n.Addr().As16()}, sets); err != nil {
			return err
		}
	}
	return nil
}

var containerID = regexp.MustCompile(`[0-9a-f]{64}`)

// seedCgroups marks the control groups of containers that are there already.
func (r *run) seedCgroups() {
	if r.groups.root == "" {
		return
	}
	_ = filepath.WalkDir(r.groups.root, func(path string, d fs.DirEntry, err error) error {
		if err != nil || !d.IsDir() || !containerID.MatchString(path) {
			return nil
		}
		var st unix.Stat_t
		if unix.Stat(path, &st) == nil {
			_ = r.programs.Maps["cgroups"].Put(st.Ino, uint8(1))
		}
		return nil
	})
}

func (r *run) attach(p *plan) error {
	for name, point := range rawNames {
		program := r.programs.Programs[name]
		if program == nil {
			continue
		}
		if name == "on_iouring" {
			point = requestPoint()
		}
		l, err := link.AttachRawTracepoint(link.RawTracepointOptions{Name: point, Program: program})
		if errors.Is(err, unix.ENOENT) && !slices.Contains(always, name) {
			continue
		}
		if err != nil {
			return refused("attaching to raw tracepoint "+point, err)
		}
		r.links = append(r.links, l)
	}
	if err := r.attachPackets(p); err != nil {
		return err
	}
	for nr, c := range p.calls {
		if err := r.attachCall(nr, bulwark.Kind(c.Kind).String()); err != nil {
			return err
		}
	}
	return nil
}

// requestPoint is the raw tracepoint of requests of io_uring, which had another name before 6.4. Before 6.0 it did not give the
// request first: there it is not used.
func requestPoint() string {
	const now, before = "io_uring_submit_req", "io_uring_submit_sqe"
	types, err := btf.LoadKernelSpec()
	if err != nil {
		return now
	}
	var point *btf.Typedef
	if types.TypeByName("btf_trace_"+before, &point) != nil {
		return now
	}
	to, _ := point.Type.(*btf.Pointer)
	if to == nil {
		return now
	}
	proto, _ := to.Target.(*btf.FuncProto)
	if proto == nil || len(proto.Params) < 2 {
		return now
	}
	if p, ok := proto.Params[1].Type.(*btf.Pointer); ok {
		if s, ok := p.Target.(*btf.Struct); ok && s.Name == "io_kiocb" {
			return before
		}
	}
	return now
}

// attachPackets has the packets of all control groups looked at. Where there is no hierarchy of the second version,
// there are none to see: Abilities says so.
func (r *run) attachPackets(p *plan) error {
	root := unified()
	if !p.packets() || root == "" {
		return nil
	}
	for name, at := range map[string]ebpf.AttachType{"on_egress": ebpf.AttachCGroupInetEgress, "on_ingress": ebpf.AttachCGroupInetIngress} {
		l, err := link.AttachCgroup(link.CgroupOptions{Path: root, Attach: at, Program: r.programs.Programs[name]})
		if err != nil {
			return refused("attaching to the packets of control groups", err)
		}
		r.links = append(r.links, l)
	}
	return nil
}

func (r *run) attachCall(nr uint32, name string) error {
	program, point := "on_exit_call", tracepoint(name)
	switch {
	case nr == evClose:
		program, point = "on_close", "syscalls/sys_enter_close"
	case nr == evOOM:
		program, point = "on_oom", "oom/mark_victim"
	case nr >= calls:
		return nil
	case name == "clone" || name == "clone3" || name == "fork" || name == "vfork":
		program = "on_exit_clone"
	case name == "execve" || name == "execveat":
		program = "on_exit_exec"
	}
	if r.tracing == nil {
		var err error
		if r.tracing, err = openTracing(); err != nil {
			return refused("finding tracepoints", err)
		}
	}
	fd, err := r.tracing.attach(point, r.programs.Programs[program].FD())
	if absent(err) {
		return nil
	}
	if err != nil {
		return refused("attaching", err)
	}
	r.points = append(r.points, fd)
	return nil
}

// tracepoint is where a system call returns.
func tracepoint(name string) string {
	if other := tracepoints[name]; other != "" {
		name = other
	}
	return "syscalls/sys_exit_" + name
}

// tick is how long a record of the volume ring may wait where there are few: nobody is woken for each.
const tick = 20 * time.Millisecond

// rest is for how long a ring is not looked at where it was empty for a tick: its next record wakes the reader.
const rest = 250 * time.Millisecond

// sleeps has the next record wake the reader; true: there is one already.
func (r *run) sleeps() bool {
	if err := r.programs.Variables["asleep"].Set(uint32(1)); err != nil {
		return false // it looks again after its rest
	}
	return r.volume.peek() != nil || r.critical.peek() != nil
}

// pause is how long what follows events may wait: whoever makes events in a row does not wake the reader for each.
const pause = 2 * time.Millisecond

func (r *run) loop(ctx context.Context, emit func([]bulwark.Event) error) error {
	rings, err := r.waiter()
	if err != nil {
		return fmt.Errorf("waiting for events: %w", err)
	}
	defer rings.Close()
	defer context.AfterFunc(ctx, func() { _ = rings.SetReadDeadline(time.Now()) })()
	woken, err := rings.SyscallConn()
	if err != nil {
		return fmt.Errorf("waiting for events: %w", err)
	}
	var told time.Time
	quiet := false // nothing came within a tick
	for ctx.Err() == nil {
		now := time.Now()
		if now.Sub(told) > 250*time.Millisecond {
			told = now
			r.decoder.offset = clockOffset()
			if err := r.tellDrops(emit); err != nil {
				return err
			}
		}
		some, err := r.drain(func() bool { return ctx.Err() == nil }, emit)
		if err != nil {
			return err
		}
		if some {
			quiet = false
			time.Sleep(pause)
			continue
		}
		wait := tick
		if quiet {
			if wait = rest; r.sleeps() {
				continue // something came meanwhile
			}
		}
		_ = rings.SetReadDeadline(time.Now().Add(wait)) // where ctx ends just before, that is all that is lost
		var ready [2]unix.EpollEvent
		err = woken.Read(func(fd uintptr) bool {
			n, err := unix.EpollWait(int(fd), ready[:], 0)
			return n > 0 || err != nil && err != unix.EINTR
		})
		if quiet = errors.Is(err, os.ErrDeadlineExceeded); err != nil && !quiet {
			return fmt.Errorf("waiting for events: %w", err)
		}
	}
	r.detach()
	late := time.Now().Add(grace)
	if _, err := r.drain(func() bool { return time.Now().Before(late) }, emit); err != nil {
		return err
	}
	return r.tellDrops(emit)
}

// waiter can be read when a ring has woken its reader. Go's poller waits for it: a thread that waits in the kernel time and
// again keeps Go's monitor of threads from sleeping, which took 1 % of a processor.
func (r *run) waiter() (*os.File, error) {
	poll, err := unix.EpollCreate1(unix.EPOLL_CLOEXEC)
	if err != nil {
		return nil, err
	}
	for _, name := range []string{"critical", "volume"} {
		fd := r.programs.Maps[name].FD()
		if err := unix.EpollCtl(poll, unix.EPOLL_CTL_ADD, fd, &unix.EpollEvent{Events: unix.EPOLLIN, Fd: int32(fd)}); err != nil {
			unix.Close(poll)
			return nil, err
		}
	}
	if err := unix.SetNonblock(poll, true); err != nil {
		unix.Close(poll)
		return nil, err
	}
	return os.NewFile(uintptr(poll), "rings"), nil
}

// grace bounds how long events that came before the end may take.
const grace = time.Second

// detach ends what the programs see; what they hold is let go of by close.
func (r *run) detach() {
	for _, l := range r.links {
		l.Close()
	}
	r.links = nil
	for _, fd := range r.points {
		_ = unix.IoctlSetInt(fd, unix.PERF_EVENT_IOC_DISABLE, 0)
	}
}

// drain emits all that is in the rings, in the order of time: of one thread's events none overtakes another, since
// what comes before one in the volume ring is in the critical ring already when the one can be seen. It tells whether there was any.
func (r *run) drain(on func() bool, emit func([]bulwark.Event) error) (some bool, err error) {
	d := r.decoder
	for on() {
		n := 0
		for n < batch {
			v := r.volume.peek()
			b, from := r.critical.peek(), r.critical
			if b == nil || v != nil && timeOf(v) < timeOf(b) {
				b, from = v, r.volume
			}
			if b == nil {
				break
			}
			if d.decode(n, b) {
				n++
			} else {
				r.bad++
			}
			from.next(len(b))
		}
		if n == 0 {
			r.volume.release()
			r.critical.release()
			return some, nil
		}
		err := emit(d.events[:n])
		some = true
		r.volume.release()
		r.critical.release()
		if err != nil {
			return some, err
		}
	}
	return some, nil
}

func timeOf(b []byte) uint64 {
	if len(b) < headBytes {
		return 0
	}
	return order.Uint64(b[8:])
}

// clockOffset is how far the clock of 1970 is before the node's own.
func clockOffset() int64 {
	var boot, wall unix.Timespec
	_ = unix.ClockGettime(unix.CLOCK_BOOTTIME, &boot)
	_ = unix.ClockGettime(unix.CLOCK_REALTIME, &wall)
	return wall.Nano() - boot.Nano()
}

// tellDrops emits an event for each class of which events were dropped since it last did.
func (r *run) tellDrops(emit func([]bulwark.Event) error) error {
	for i, c := range r.counts() {
		lost := max(c.Dropped, r.decoder.lost(i)) // what counters and sequence numbers say is the same, if all is well
		if lost <= r.dropped[i] {
			continue
		}
		n := lost - r.dropped[i]
		r.dropped[i] = lost
		e := bulwark.Event{
			Time: time.Now().UnixNano(), Source: bulwark.SourceSyscall, Kind: bulwark.KindDrop, FD: bulwark.FD{Num: -1},
			Args: []bulwark.Arg{{Text: []byte(c.Class)}, {Num: int64(n)}},
		}
		if err := emit([]bulwark.Event{e}); err != nil {
			return err
		}
	}
	return nil
}

// counts reads the counters of the programs.
func (r *run) counts() []bulwark.Count {
	list := make([]bulwark.Count, len(classes))
	m := r.programs.Maps["counts"]
	for i := range list {
		list[i].Class = classes[i]
		if i == interrupted {
			n := r.interrupted()
			list[i].Seen, list[i].Dropped = n, n
			continue
		}
		for what, to := range []*uint64{&list[i].Filtered, &list[i].Sent, &list[i].Dropped} {
			var cpus []uint64
			if m.Lookup(uint32(3*i+what), &cpus) != nil {
				continue
			}
			for _, n := range cpus {
				*to += n
			}
			list[i].Seen += *to
		}
	}
	return list
}

// interrupted is how often a program could not run since one did already on its processor: what it would have seen is lost.
// Kernels before 5.12 do not count it.
func (r *run) interrupted() uint64 {
	now := time.Now().UnixNano()
	if now-r.asked.Load() < int64(time.Second) {
		return r.missed.Load()
	}
	r.asked.Store(now)
	var n uint64
	for _, p := range r.programs.Programs {
		if s, err := p.Stats(); err == nil {
			n += s.RecursionMisses
		}
	}
	r.missed.Store(n)
	return n
}
