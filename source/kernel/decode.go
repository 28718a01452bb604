package kernel

import (
	"bytes"
	"encoding/binary"
	"net/netip"
	"strings"

	"bulwark"
)

// The parts of a record: TAG_* of bpf/sensor.h.
const (
	tagNone = iota
	tagNumber
	tagText
	tagFD
	tagProcess
	tagAddress
	tagStop
	tagDir
)

const (
	headBytes    = 80
	fdBytes      = 32
	processBytes = 200
	batch        = 256
	mostArgs     = 32
)

var order = binary.LittleEndian

// decoder makes events of records. Its events and all that they point to are used again.
type decoder struct {
	events []bulwark.Event
	procs  []bulwark.Process
	args   [][mostArgs]bulwark.Arg
	names  [][256]byte // that were asked for
	joined []byte      // paths that were joined
	offset int64       // nanoseconds from the start of the node's clock to 1970
	cut    uint64
	seqs   [len(classes)]sequence
}

// sequence holds the numbers that the programs of a processor give to what they want to send: those that are missing were
// dropped. Records of packets have none: programs of packets take the processor from one another.
type sequence struct {
	last []uint32 // by processor
	lost int64
}

func (s *sequence) saw(cpu uint16, seq uint32) {
	for int(cpu) >= len(s.last) {
		s.last = append(s.last, 0)
	}
	if gap := int64(int32(seq - s.last[cpu])); gap > 0 {
		s.lost += gap - 1
		s.last[cpu] = seq
	} else {
		s.lost-- // an interrupt's came between
	}
}

// lost is how many records of a class are missing.
func (d *decoder) lost(class int) uint64 { return uint64(max(d.seqs[class].lost, 0)) }

func newDecoder() *decoder {
	return &decoder{events: make([]bulwark.Event, batch), procs: make([]bulwark.Process, batch), args: make([][mostArgs]bulwark.Arg, batch), names: make([][256]byte, batch)}
}

type head struct {
	seq                 uint32
	kind                uint16
	class, flags        uint8
	time, start, cgroup uint64
	result              int64
	pid, tid, uid       uint32
	cpu, event          uint16
	effective           uint64
	mnt, net, user, cg  uint32
}

func readHead(b []byte) (h head, ok bool) {
	if len(b) < headBytes {
		return h, false
	}
	_ = b[headBytes-1]
	return head{
		seq: order.Uint32(b), kind: order.Uint16(b[4:]), class: b[6], flags: b[7],
		time: order.Uint64(b[8:]), start: order.Uint64(b[16:]), cgroup: order.Uint64(b[24:]), result: int64(order.Uint64(b[32:])),
		pid: order.Uint32(b[40:]), tid: order.Uint32(b[44:]), uid: order.Uint32(b[48:]), cpu: order.Uint16(b[52:]), event: order.Uint16(b[54:]),
		effective: order.Uint64(b[56:]), mnt: order.Uint32(b[64:]), net: order.Uint32(b[68:]), user: order.Uint32(b[72:]), cg: order.Uint32(b[76:]),
	}, true
}

// decode makes the n-th event of the batch; false: the bytes are no record. Its texts are views of b.
func (d *decoder) decode(n int, b []byte) bool {
	h, ok := readHead(b)
	k := bulwark.Kind(h.kind)
	if !ok || k == 0 || k.Params() == nil && k.String() == "?" {
		return false
	}
	if h.seq != 0 && int(h.class) < len(d.seqs) {
		d.seqs[h.class].saw(h.cpu, h.seq)
	}
	if n == 0 {
		d.joined = d.joined[:0]
	}
	e, p := &d.events[n], &d.procs[n]
	*p = bulwark.Process{
		PID: int(int32(h.pid)), Start: int64(h.start), Cgroup: h.cgroup, UID: h.uid, Login: ^uint32(0), Effective: h.effective,
		Namespaces: bulwark.Namespaces{Mount: h.mnt, Net: h.net, User: h.user, Cgroup: h.cg},
	}
	*e = bulwark.Event{
		Time: int64(h.time) + d.offset, CPU: int(h.cpu), Source: bulwark.SourceSyscall, Kind: k, Result: h.result,
		TID: int(int32(h.tid)), Process: p, FD: bulwark.FD{Num: -1},
	}
	r := reader{b: b[headBytes:]}
	args := d.args[n][:0]
	var dir []byte // in which the path that follows begins where it is relative
	for len(r.b) > 0 && !r.bad {
		switch r.byte() {
		case tagStop:
			r.b = nil
		case tagNone:
			args = add(args, bulwark.Arg{})
		case tagNumber:
			args = add(args, bulwark.Arg{Num: int64(r.uint64())})
		case tagText:
			args = add(args, bulwark.Arg{Text: d.join(dir, r.text())})
			dir = nil
			if packet(h.event) {
				r.b = nil
			}
		case tagDir:
			dir = r.text()
		case tagAddress:
			address(&e.FD, r.text(), k)
		case tagFD:
			r.fd(&e.FD)
		case tagProcess:
			r.process(p)
		default:
			r.bad = true
		}
	}
	if h.flags&1 != 0 || r.bad {
		d.cut++
	}
	if filed[k] && len(args) == len(k.Params())-2 {
		args = add(add(args, bulwark.Arg{Num: int64(e.FD.Device)}), bulwark.Arg{Num: int64(e.FD.Inode)})
	}
	e.Args = args
	switch {
	case h.event == evExec && k == bulwark.KindExec:
		d.exec(n, e, p)
	case h.event == evFork && k == bulwark.KindClone:
		fork(e, p, d.args[n][:])
	case h.event == evPayload && k == bulwark.KindPayload:
		e.Args = payload(args)
	case h.event == evDNS && k == bulwark.KindDNS:
		e.Args = dns(args, e.FD.Proto == protoTCP, &d.names[n])
	case len(params(k)) < len(args):
		e.Args = args[:len(params(k))]
	}
	raw(e)
	return true
}

// join is the path of a file below a folder that is not the working directory; dir may be nil.
func (d *decoder) join(dir, path []byte) []byte {
	if len(dir) == 0 || len(path) == 0 || path[0] == '/' {
		return path
	}
	from := len(d.joined)
	d.joined = append(d.joined, bytes.TrimSuffix(dir, []byte("/"))...)
	d.joined = append(append(d.joined, '/'), path...)
	return d.joined[from:len(d.joined):len(d.joined)]
}

func params(k bulwark.Kind) []bulwark.Param { return k.Params() }

func add(args []bulwark.Arg, a bulwark.Arg) []bulwark.Arg {
	if len(args) == cap(args) {
		return args
	}
	return append(args, a)
}

// raw finds the path that the caller gave for what the event's descriptor is.
func raw(e *bulwark.Event) {
	list := e.Kind.Params()
	if len(list) == 0 || list[0].Type != bulwark.ParamFD {
		return
	}
	for i, p := range list {
		if p.Type == bulwark.ParamPath && i < len(e.Args) {
			e.FD.Raw = e.Args[i].Text
			return
		}
	}
}

// reader takes a record apart; what is missing is zero, and bad tells so.
type reader struct {
	b   []byte
	bad bool
}

func (r *reader) take(n int) []byte {
	if n > len(r.b) {
		r.bad, r.b = true, nil
		return nil
	}
	b := r.b[:n:n]
	r.b = r.b[n:]
	return b
}

func (r *reader) byte() byte {
	if b := r.take(1); b != nil {
		return b[0]
	}
	return 0
}

func (r *reader) uint64() uint64 {
	if b := r.take(8); b != nil {
		return order.Uint64(b)
	}
	return 0
}

func (r *reader) text() []byte {
	b := r.take(2)
	if b == nil {
		return nil
	}
	return r.take(int(order.Uint16(b)))
}

const (
	fdOutside = 1 << iota
	fdUpper
	fdCut
	fdServer
	fdConnected
	fdAddress
	fdStream
)

const (
	familyUnix    = 1
	familyINET    = 2
	familyINET6   = 10
	familyNetlink = 16
	familyPacket  = 17
	protoTCP      = 6
	protoUDP      = 17
)

func (r *reader) fd(fd *bulwark.FD) {
	b := r.take(fdBytes - 1) // behind the tag
	if b == nil {
		return
	}
	flags, proto, family := b[0], b[1], b[2]
	name := r.take(int(order.Uint16(b[25:])))
	mode := order.Uint16(b[23:])
	named := fd.Remote
	*fd = bulwark.FD{
		Num: int(int32(order.Uint32(b[3:]))), Outside: flags&fdOutside != 0, Upper: flags&fdUpper != 0,
		Inode: order.Uint64(b[7:]), Device: device(order.Uint32(b[15:])), Magic: uint64(order.Uint32(b[19:])),
		Server: flags&fdServer != 0, Connected: flags&fdConnected != 0, Remote: named,
	}
	if mode&modeType == modeSocket {
		fd.Proto = proto
		socket(fd, family, name, order.Uint16(b[27:]), order.Uint16(b[29:]))
		return
	}
	fd.Kind = fileKind(mode, fd.Magic, name)
	if fd.Kind != bulwark.FDPipe {
		fd.Name = name
	}
}

func socket(fd *bulwark.FD, family uint8, name []byte, local, remote uint16) {
	switch family {
	case familyUnix:
		fd.Kind, fd.Name = bulwark.FDUnix, name
	case familyINET:
		fd.Kind = bulwark.FDIPv4
		if len(name) == 8 {
			fd.Local = netip.AddrPortFrom(netip.AddrFrom4([4]byte(name)), local)
			peer(fd, netip.AddrFrom4([4]byte(name[4:])), remote)
		}
		if len(name) == 32 { // of a packet
			fd.Local = netip.AddrPortFrom(netip.AddrFrom16([16]byte(name)).Unmap(), local)
			peer(fd, netip.AddrFrom16([16]byte(name[16:])).Unmap(), remote)
		}
	case familyINET6:
		fd.Kind = bulwark.FDIPv6
		if len(name) == 32 {
			fd.Local = netip.AddrPortFrom(netip.AddrFrom16([16]byte(name)), local)
			peer(fd, netip.AddrFrom16([16]byte(name[16:])), remote)
		}
	case familyNetlink:
		fd.Kind = bulwark.FDNetlink
	case familyPacket:
		fd.Kind = bulwark.FDPacket
	default:
		fd.Kind = bulwark.FDOther
	}
}

func peer(fd *bulwark.FD, addr netip.Addr, port uint16) {
	if port != 0 && !fd.Remote.IsValid() {
		fd.Remote = netip.AddrPortFrom(addr, port)
	}
}

var kindBind, _ = bulwark.KindNamed("bind")

// address is one that the call names.
func address(fd *bulwark.FD, b []byte, k bulwark.Kind) {
	if len(b) < 3 || k == kindBind {
		return
	}
	switch order.Uint16(b) {
	case familyINET:
		if len(b) >= 8 {
			fd.Remote = netip.AddrPortFrom(netip.AddrFrom4([4]byte(b[4:])), binary.BigEndian.Uint16(b[2:]))
		}
	case familyINET6:
		if len(b) >= 24 {
			fd.Remote = netip.AddrPortFrom(netip.AddrFrom16([16]byte(b[8:])), binary.BigEndian.Uint16(b[2:]))
		}
	case familyUnix:
		if len(fd.Name) == 0 {
			name := b[2:]
			if name[0] != 0 {
				name, _, _ = bytes.Cut(name, []byte{0})
			}
			fd.Name = name
		}
	}
}

const (
	modeType   = 0o170000
	modeSocket = 0o140000
	modeFile   = 0o100000
	modeFolder = 0o040000
	modePipe   = 0o010000

	magicPipe  = 0x50495045
	magicAnon  = 0x09041934
	magicPID   = 0x50494446
	magicTmpfs = 0x01021994
	magicHuge  = 0x958458f6
)

var (
	anonymous = []struct {
		name string
		kind bulwark.FDKind
	}{
		{"/[eventfd", bulwark.FDEvent}, {"/[eventpoll", bulwark.FDEventPoll}, {"/[signalfd", bulwark.FDSignal}, {"/[timerfd", bulwark.FDTimer},
		{"/[io_uring", bulwark.FDIOURing}, {"/[userfaultfd", bulwark.FDUserfault}, {"/[pidfd", bulwark.FDPID}, {"/inotify", bulwark.FDInotify},
		{"/bpf", bulwark.FDBPF}, {"/[bpf", bulwark.FDBPF}, {"/btf", bulwark.FDBPF},
	}
	memory = []byte("/memfd:")
)

func fileKind(mode uint16, magic uint64, name []byte) bulwark.FDKind {
	switch {
	case magic == magicPID:
		return bulwark.FDPID
	case mode&modeType == modePipe && magic == magicPipe: // one with a name is a file, as for Falco
		return bulwark.FDPipe
	case magic == magicAnon:
		for _, a := range anonymous {
			if bytes.HasPrefix(name, []byte(a.name)) {
				return a.kind
			}
		}
		return bulwark.FDOther
	case mode&modeType == modeFolder:
		return bulwark.FDDirectory
	case (magic == magicTmpfs || magic == magicHuge) && bytes.HasPrefix(name, memory):
		return bulwark.FDMemory
	}
	return bulwark.FDFile
}

// device is a number of the kernel's as stat gives it.
func device(d uint32) uint64 {
	major, minor := d>>20, d&0xfffff
	return uint64(minor&0xff | major<<8 | (minor&^0xff)<<12)
}

const (
	procUpper = 1 << iota
	procLower
	procFile
)

func (r *reader) process(p *bulwark.Process) {
	b := r.take(processBytes - 1)
	if b == nil {
		return
	}
	word := func(at int) uint32 { return order.Uint32(b[at-1:]) }
	long := func(at int) uint64 { return order.Uint64(b[at-1:]) }
	p.PID, p.Start = int(int32(word(4))), int64(long(8))
	p.PPID, p.VPID, p.PGID, p.SID = int(int32(word(16))), int(int32(word(20))), int(int32(word(24))), int(int32(word(28)))
	p.VPGID, p.VSID = int(int32(word(32))), int(int32(word(36)))
	p.UID, p.GID, p.Login, p.TTY = word(40), word(44), word(48), word(52)
	p.Namespaces = bulwark.Namespaces{Cgroup: word(56), IPC: word(60), Mount: word(64), Net: word(68), PID: word(72), User: word(76), UTS: word(80)}
	flags := word(84)
	p.Inheritable, p.Permitted, p.Effective = long(88), long(96), long(104)
	comm, _, _ := bytes.Cut(b[183:199], []byte{0})
	p.Name = string(comm)
	if flags&procFile == 0 {
		return
	}
	mode, links := word(124), word(156)
	f := bulwark.Program{
		Inode: long(112), Device: device(word(120)), Changed: int64(long(128)), Modified: int64(long(136)),
		Upper: flags&procUpper != 0, Lower: flags&procLower != 0, Deleted: links == 0,
	}
	owner, group := word(144), word(148)
	f.Writable = p.Effective&2 != 0 || mode&0o002 != 0 || mode&0o200 != 0 && owner == p.UID || mode&0o020 != 0 && group == p.GID
	f.SetID = mode&0o6000 != 0
	p.File = f
	for i := range p.Stdio {
		p.Stdio[i] = stdio(order.Uint16(b[160+2*i-1:]), word(168+4*i))
	}
}

// stdio is the kind of a descriptor by its mode and the magic of its file system; of a socket by its family.
func stdio(mode uint16, magic uint32) bulwark.FDKind {
	if mode == 0 {
		return bulwark.FDNone
	}
	if mode&modeType != modeSocket {
		return fileKind(mode, uint64(magic), nil)
	}
	var fd bulwark.FD
	socket(&fd, uint8(magic), nil, 0, 0)
	return fd.Kind
}

// place in the parameters of execve and clone, by name.
func placesOf(k bulwark.Kind) map[string]int {
	at := map[string]int{}
	for i, p := range k.Params() {
		at[p.Name] = i
	}
	return at
}

var execPlaces, clonePlaces = placesOf(bulwark.KindExec), placesOf(bulwark.KindClone)

// exec makes the arguments of an execve of what its record has behind the process: path, folder, file name, arguments, environment.
func (d *decoder) exec(n int, e *bulwark.Event, p *bulwark.Process) {
	var text [5][]byte
	for i := range text {
		if i < len(e.Args) {
			text[i] = e.Args[i].Text
		}
	}
	p.Path, p.CWD = string(text[0]), string(text[1])
	if strings.HasPrefix(p.Path, "/memfd:") && p.File.Deleted {
		p.File.Memory = true
	}
	list := texts(text[3])
	if len(list) > 0 {
		p.Exe, p.Args = list[0], list[1:]
	}
	p.Env = texts(text[4])
	p.Exec = e.Time
	exe, rest, _ := bytes.Cut(text[3], []byte{0})

	args := d.args[n][:len(bulwark.KindExec.Params())]
	clear(args)
	common(args, execPlaces, e, p, exe, rest, text[1])
	put := func(name string, a bulwark.Arg) {
		if at, ok := execPlaces[name]; ok {
			args[at] = a
		}
	}
	put("env", bulwark.Arg{Text: text[4]})
	put("tty", bulwark.Arg{Num: int64(p.TTY)})
	put("vpgid", bulwark.Arg{Num: int64(p.VPGID)})
	put("loginuid", bulwark.Arg{Num: int64(int32(p.Login))})
	put("flags", bulwark.Arg{Num: execFlags(&p.File)})
	put("cap_inheritable", bulwark.Arg{Num: int64(p.Inheritable)})
	put("cap_permitted", bulwark.Arg{Num: int64(p.Permitted)})
	put("cap_effective", bulwark.Arg{Num: int64(p.Effective)})
	put("exe_ino", bulwark.Arg{Num: int64(p.File.Inode)})
	put("exe_ino_ctime", bulwark.Arg{Num: p.File.Changed})
	put("exe_ino_mtime", bulwark.Arg{Num: p.File.Modified})
	put("trusted_exepath", bulwark.Arg{Text: text[0]})
	put("pgid", bulwark.Arg{Num: int64(p.PGID)})
	put("filename", bulwark.Arg{Text: text[2]})
	e.Args = args
}

// execFlags are those of Falco's execve: writable, upper layer, memory, lower layer.
func execFlags(f *bulwark.Program) (flags int64) {
	for i, set := range []bool{f.Writable, f.Upper, f.Memory, f.Lower} {
		if set {
			flags |= 1 << i
		}
	}
	return flags
}

func fork(e *bulwark.Event, p *bulwark.Process, room []bulwark.Arg) {
	args := room[:len(bulwark.KindClone.Params())]
	clear(args)
	e.TID = p.PID
	common(args, clonePlaces, e, p, nil, nil, nil)
	if at, ok := clonePlaces["vpid"]; ok {
		args[at].Num = int64(p.VPID)
	}
	if at, ok := clonePlaces["vtid"]; ok {
		args[at].Num = int64(p.VPID)
	}
	e.Args = args
}

func common(args []bulwark.Arg, at map[string]int, e *bulwark.Event, p *bulwark.Process, exe, rest, cwd []byte) {
	put := func(name string, a bulwark.Arg) {
		if i, ok := at[name]; ok {
			args[i] = a
		}
	}
	put("exe", bulwark.Arg{Text: exe})
	put("args", bulwark.Arg{Text: rest})
	put("tid", bulwark.Arg{Num: int64(e.TID)})
	put("pid", bulwark.Arg{Num: int64(p.PID)})
	put("ptid", bulwark.Arg{Num: int64(p.PPID)})
	put("cwd", bulwark.Arg{Text: cwd})
	put("comm", bulwark.Arg{Text: []byte(p.Name)})
	put("uid", bulwark.Arg{Num: int64(p.UID)})
	put("gid", bulwark.Arg{Num: int64(p.GID)})
}

// texts are those of a list in which each is ended by a zero byte.
func texts(b []byte) []string {
	if len(b) == 0 {
		return nil
	}
	b = bytes.TrimSuffix(b, []byte{0})
	return strings.Split(string(b), "\x00")
}
