package rules

import (
	"net/netip"
	"unsafe"

	"bulwark"
)

// event is the one that is looked at, with what has been worked out of it. There is one for a detector, used again
// for each event.
type event struct {
	*bulwark.Event
	p     *bulwark.Process // nil: none did it
	serve uint64           // counts events: what was worked out for another one has another number
	env   *environment
	last  int64 // time of the event before
	doc   document

	fd    fdText
	own   commandText // of the process
	above commandText // of its parent
	far   commandText // of an ancestor
}

// environment is what is the same for all events.
type environment struct {
	names    Names
	resolver Resolver
	host     string
	boot     int64 // when the node started, nanoseconds since 1970; 0: not known
	first    int64 // time of the first event
}

// set makes e the event that is looked at.
func (v *event) set(e *bulwark.Event) {
	if v.Event != nil {
		v.last = v.Time
	}
	v.Event, v.p = e, e.Process
	v.serve++
	if v.env.first == 0 {
		v.env.first = e.Time
	}
}

// str is b as text, without a copy: it is good until the event is used again.
func str(b []byte) string {
	return unsafe.String(unsafe.SliceData(b), len(b))
}

// kept is text that is put together once for an event.
type kept struct {
	serve uint64
	of    *bulwark.Process
	buf   []byte
}

// fresh tells whether the text is already that of the event and process; else it is emptied and theirs from now on.
func (k *kept) fresh(v *event, p *bulwark.Process) bool {
	if k.serve == v.serve && k.of == p {
		return true
	}
	k.serve, k.of, k.buf = v.serve, p, k.buf[:0]
	return false
}

// memo keeps the texts of numbers, of which few different ones are met.
type memo struct {
	of   func(int64) string
	seen map[int64]string
}

const maxMemo = 4096

func newMemo(of func(int64) string) *memo { return &memo{of: of, seen: map[int64]string{}} }

func (m *memo) text(n int64) string {
	if s, ok := m.seen[n]; ok {
		return s
	}
	if len(m.seen) >= maxMemo {
		clear(m.seen)
	}
	s := m.of(n)
	m.seen[n] = s
	return s
}

// server and client are the ends of the event's socket.
func (v *event) server() netip.AddrPort {
	if v.served() {
		return v.FD.Local
	}
	return v.FD.Remote
}

func (v *event) client() netip.AddrPort {
	if v.served() {
		return v.FD.Remote
	}
	return v.FD.Local
}

// served tells whether the process is the server. Who connects never is, who listens always.
func (v *event) served() bool {
	switch v.Kind {
	case kindConnect:
		return false
	case kindBind, kindListen:
		return true
	}
	return v.FD.Server
}

func named(name string) bulwark.Kind {
	k, _ := bulwark.KindNamed(name)
	return k
}

var (
	kindConnect, kindBind, kindListen = named("connect"), named("bind"), named("listen")
	kindOpen, kindOpenat, kindOpenat2 = named("open"), named("openat"), named("openat2")
	kindCreat, kindHandle             = named("creat"), named("open_by_handle_at")
	kindExecveat                      = named("execveat")
	opens                             = []bulwark.Kind{kindOpen, kindOpenat, kindOpenat2, kindHandle}
)

// raw is s as bytes, without a copy: nobody writes them.
func raw(s string) []byte { return unsafe.Slice(unsafe.StringData(s), len(s)) }
