//go:build linux && (amd64 || arm64)

package guard

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"net/netip"
	"os"
	"strconv"
	"strings"
	"time"
	"unsafe"

	"github.com/cilium/ebpf"
	"github.com/cilium/ebpf/ringbuf"
	"golang.org/x/sys/unix"

	"bulwark"
)

// reader tells what the kernel's programs decided.
type reader struct {
	ring  *ringbuf.Reader
	names *names
	tell  func(bulwark.Decision)
	ended chan struct{}
}

func read(m *ebpf.Map, n *names, tell func(bulwark.Decision)) (*reader, error) {
	ring, err := ringbuf.NewReader(m)
	if err != nil {
		return nil, fmt.Errorf("reading decisions: %w", err)
	}
	r := &reader{ring: ring, names: n, tell: tell, ended: make(chan struct{})}
	go r.run()
	return r, nil
}

func (r *reader) run() {
	defer close(r.ended)
	var record ringbuf.Record
	for {
		if err := r.ring.ReadInto(&record); err != nil {
			return
		}
		if d, ok := r.decision(record.RawSample); ok && r.tell != nil {
			r.tell(d)
		}
	}
}

// Close waits until the last decision was told.
func (r *reader) Close() error {
	err := r.ring.Close()
	<-r.ended
	return err
}

func (r *reader) decision(raw []byte) (bulwark.Decision, bool) {
	var k programsDecision
	if binary.Size(k) > len(raw) {
		return bulwark.Decision{}, false
	}
	if _, err := binary.Decode(raw, binary.NativeEndian, &k); err != nil {
		return bulwark.Decision{}, false
	}
	n := r.names.get(k.Block)
	d := bulwark.Decision{Time: sinceBoot(int64(k.Time)), Rule: n.rule, Deed: n.deed, Act: bulwark.Act(k.Act),
		PID: int(k.Pid), Start: int64(k.Start), Name: text(k.Comm[:]), Cgroup: k.Cgroup, Proto: k.Proto}
	if n.deed == bulwark.DeedExecDrift || n.deed == bulwark.DeedExecMemory {
		d.Path = nameOf(text(k.Path[:]), text(k.File[:]))
		return d, true
	}
	d.Remote = netip.AddrPortFrom(addressOf(&k), k.Port)
	if d.PID != 0 {
		d.Start = startOf(strconv.Itoa(d.PID))
	}
	return d, true
}

// nameOf is the path as execve was given it, and what the file is called where that is another name.
func nameOf(path, file string) string {
	if path[strings.LastIndexByte(path, '/')+1:] == file {
		return path
	}
	return path + " (" + file + ")"
}

func addressOf(k *programsDecision) netip.Addr {
	var b [16]byte
	for i, w := range k.Addr {
		binary.NativeEndian.PutUint32(b[4*i:], w)
	}
	if k.Family == unix.AF_INET {
		return netip.AddrFrom4([4]byte(b[:4]))
	}
	return netip.AddrFrom16(b)
}

func text(b []int8) string {
	raw := unsafe.Slice((*byte)(unsafe.Pointer(&b[0])), len(b))
	if end := bytes.IndexByte(raw, 0); end >= 0 {
		raw = raw[:end]
	}
	return string(raw)
}

// sinceBoot is the node's clock for what its clock since boot shows.
func sinceBoot(boot int64) int64 {
	var ts unix.Timespec
	unix.ClockGettime(unix.CLOCK_BOOTTIME, &ts)
	return time.Now().UnixNano() - ts.Nano() + boot
}

// startOf is when a process began, since boot, rounded down to 10 ms; 0: it has gone.
func startOf(pid string) int64 {
	b, err := os.ReadFile("/proc/" + pid + "/stat")
	if err != nil {
		return 0
	}
	fields := strings.Fields(string(b[bytes.LastIndexByte(b, ')')+1:]))
	if len(fields) < 20 {
		return 0
	}
	ticks, _ := strconv.ParseInt(fields[19], 10, 64)
	return ticks * int64(time.Second/100)
}
