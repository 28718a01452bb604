//go:build amd64 || arm64

package calls

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/cilium/ebpf"
	"github.com/cilium/ebpf/btf"
	"github.com/cilium/ebpf/link"
	"github.com/cilium/ebpf/ringbuf"
	"golang.org/x/sys/unix"

	"bulwark"
	"bulwark/source/kernel/internal/types"
)

// Abilities are what can be seen here. What all of this kernel's sensors need is told by the one of events.
func (*Sensor) Abilities() []bulwark.Ability {
	why := ""
	if !seesCapabilities() {
		why = "the kernel has no tracepoint cap_capable (Linux 6.13 has it): they are inferred from system calls"
	}
	return []bulwark.Ability{
		{Name: "see which system calls are made", By: "raw tracepoint sys_enter"},
		{Name: "see which capabilities are used", By: "raw tracepoint cap_capable", Why: why},
	}
}

// seesCapabilities asks the kernel's types for the tracepoint.
func seesCapabilities() bool {
	kernel, err := types.Cache().Kernel()
	if err != nil {
		return false
	}
	var t *btf.Typedef
	return kernel.TypeByName("btf_trace_cap_capable", &t) == nil
}

// Run gives what is used for the first time, where the interest has either kind: see [bulwark.Sensor].
func (s *Sensor) Run(ctx context.Context, want bulwark.Interest, ready func(), emit func([]bulwark.Event) error) error {
	_, calls := want[bulwark.KindSyscallUsed]
	_, caps := want[bulwark.KindCapabilityUsed]
	if !calls && !caps {
		ready()
		<-ctx.Done()
		return nil
	}
	r := &run{names: parseNames(table)}
	defer r.close()
	if err := r.open(calls, caps); err != nil {
		if errors.Is(err, unix.EPERM) || errors.Is(err, ebpf.ErrNotSupported) {
			err = fmt.Errorf("%w: %w", bulwark.ErrUnsupported, err)
		}
		return fmt.Errorf("seeing which system calls are made: %w", err)
	}
	s.mu.Lock()
	s.count = r.counts
	s.mu.Unlock()
	defer func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.last, s.count = r.counts(), nil
	}()
	ready()
	return r.loop(ctx, emit)
}

type run struct {
	programs *ebpf.Collection
	links    []link.Link
	reader   *ringbuf.Reader
	names    [compat + 1]string
	dropped  uint64
}

func (r *run) open(calls, caps bool) error {
	spec, err := loadPrograms()
	if err != nil {
		return err
	}
	host, err := hostMount()
	if err != nil {
		return err
	}
	if err := spec.Variables["host_mount"].Set(host); err != nil {
		return err
	}
	points := map[string]string{"on_enter": "sys_enter"}
	if caps && seesCapabilities() {
		points["on_capable"] = "cap_capable"
	} else {
		delete(spec.Programs, "on_capable")
	}
	if !calls {
		delete(points, "on_enter")
		delete(spec.Programs, "on_enter")
	}
	if r.programs, err = ebpf.NewCollectionWithOptions(spec, ebpf.CollectionOptions{Cache: types.Cache()}); err != nil {
		return err
	}
	if r.reader, err = ringbuf.NewReader(r.programs.Maps["ring"]); err != nil {
		return err
	}
	for name, point := range points {
		l, err := link.AttachRawTracepoint(link.RawTracepointOptions{Name: point, Program: r.programs.Programs[name]})
		if err != nil {
			return fmt.Errorf("raw tracepoint %s: %w", point, err)
		}
		r.links = append(r.links, l)
	}
	return nil
}

func (r *run) close() {
	for _, l := range r.links {
		l.Close()
	}
	if r.reader != nil {
		r.reader.Close()
	}
	if r.programs != nil {
		r.programs.Close()
	}
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

// pause is how long the reader waits before it looks whether it is to end, and what was dropped.
const pause = 250 * time.Millisecond

func (r *run) loop(ctx context.Context, emit func([]bulwark.Event) error) error {
	var raw ringbuf.Record
	var event [1]bulwark.Event
	var p bulwark.Process
	var args [5]bulwark.Arg
	for ctx.Err() == nil {
		r.reader.SetDeadline(time.Now().Add(pause))
		err := r.reader.ReadInto(&raw)
		if errors.Is(err, os.ErrDeadlineExceeded) {
			if err := r.tellDrops(emit); err != nil {
				return err
			}
			continue
		}
		if err != nil {
			return fmt.Errorf("reading which system calls are made: %w", err)
		}
		if !r.decode(raw.RawSample, &event[0], &p, args[:]) {
			continue
		}
		if behind := time.Since(time.Unix(0, event[0].Time)); behind < late {
			select {
			case <-time.After(late - max(behind, 0)):
			case <-ctx.Done():
			}
		}
		if err := emit(event[:]); err != nil {
			return err
		}
	}
	return nil
}

// late is how old an event is at least when it is given: that the process began is told by another sensor, and should be known.
const late = 30 * time.Millisecond

const recordBytes = 64

// What a record is about, as bpf/calls.c has it.
const (
	eventCall = 1
	eventCap  = 2
)

// decode makes an event of a record; false: it is none.
func (r *run) decode(b []byte, e *bulwark.Event, p *bulwark.Process, args []bulwark.Arg) bool {
	if len(b) < recordBytes {
		return false
	}
	order := binary.LittleEndian
	*p = bulwark.Process{
		Start: int64(order.Uint64(b[8:])), Cgroup: order.Uint64(b[16:]), PID: int(int32(order.Uint32(b[24:]))), UID: order.Uint32(b[32:]), Login: ^uint32(0),
	}
	nr, call := int(order.Uint16(b[38:])), int(order.Uint16(b[40:]))
	comm, _, _ := bytes.Cut(b[48:64], []byte{0})
	program := int64(1)
	if b[42] != 0 {
		program = 0
	}
	*e = bulwark.Event{Time: int64(order.Uint64(b)) + clockOffset(), Source: bulwark.SourceSyscall, TID: int(int32(order.Uint32(b[28:]))), Process: p, FD: bulwark.FD{Num: -1}}
	switch order.Uint16(b[36:]) {
	case eventCall:
		e.Kind = bulwark.KindSyscallUsed
		args[0].Text, e.Args = []byte(r.name(nr)), args[:4]
	case eventCap:
		e.Kind = bulwark.KindCapabilityUsed
		args[0].Text, args[4].Text, e.Args = []byte(capability(nr)), []byte(r.name(call)), args[:5]
	default:
		return false
	}
	args[1].Num, args[2].Num, args[3].Text = int64(nr), program, comm
	return true
}

func (r *run) name(nr int) string {
	if nr < len(r.names) && r.names[nr] != "" {
		return r.names[nr]
	}
	return fmt.Sprintf("syscall_%d", nr)
}

func capability(nr int) string {
	if nr < len(capabilities) {
		return capabilities[nr]
	}
	return fmt.Sprintf("CAP_%d", nr)
}

// clockOffset is how far the clock of 1970 is before the node's own.
func clockOffset() int64 {
	var boot, wall unix.Timespec
	_ = unix.ClockGettime(unix.CLOCK_BOOTTIME, &boot)
	_ = unix.ClockGettime(unix.CLOCK_REALTIME, &wall)
	return wall.Nano() - boot.Nano()
}

// tellDrops emits an event where records found no room since it last did: what they would have told is told by the next use.
func (r *run) tellDrops(emit func([]bulwark.Event) error) error {
	n := r.counts()[0].Dropped
	if n == r.dropped {
		return nil
	}
	e := bulwark.Event{
		Time: time.Now().UnixNano(), Source: bulwark.SourceSyscall, Kind: bulwark.KindDrop, FD: bulwark.FD{Num: -1},
		Args: []bulwark.Arg{{Text: []byte("first uses")}, {Num: int64(n - r.dropped)}},
	}
	r.dropped = n
	return emit([]bulwark.Event{e})
}

func (r *run) counts() []bulwark.Count {
	c := bulwark.Count{Class: "first uses"}
	m := r.programs.Maps["counts"]
	_ = m.Lookup(uint32(0), &c.Sent)
	_ = m.Lookup(uint32(1), &c.Dropped)
	c.Seen = c.Sent + c.Dropped
	return []bulwark.Count{c}
}
