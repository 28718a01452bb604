package trace

import (
	"encoding/binary"
	"fmt"
	"net/netip"
	"strings"

	"bulwark"
)

// in is the rest of a block. What is wrong is remembered, and everything after it is zero.
type in struct {
	b   []byte
	bad bool
}

func (r *in) fail() { r.bad, r.b = true, nil }

func (r *in) u() uint64 {
	n, size := binary.Uvarint(r.b)
	if size <= 0 {
		r.fail()
		return 0
	}
	r.b = r.b[size:]
	return n
}

func (r *in) i() int64 {
	n, size := binary.Varint(r.b)
	if size <= 0 {
		r.fail()
		return 0
	}
	r.b = r.b[size:]
	return n
}

func (r *in) small() int { return int(int32(r.i())) }

// bytes are those of the block: they hold until the next one is read.
func (r *in) bytes() []byte {
	n := r.u()
	if n > uint64(len(r.b)) {
		r.fail()
		return nil
	}
	b := r.b[:n:n]
	if r.b = r.b[n:]; n == 0 {
		return nil
	}
	return b
}

func (r *in) text() string { return string(r.bytes()) }

func (r *in) texts() []string {
	n := r.u()
	if n > maxList || n > uint64(len(r.b)) {
		r.fail()
		return nil
	}
	list := make([]string, 0, n)
	for range n {
		list = append(list, r.text())
	}
	return list
}

func (r *in) bits(to ...*bool) {
	n := r.u()
	for i, b := range to {
		*b = n>>i&1 == 1
	}
}

func (r *in) addr() netip.AddrPort {
	b := r.bytes()
	if len(b) == 0 {
		return netip.AddrPort{}
	}
	a, ok := netip.AddrFromSlice(b)
	if !ok {
		r.fail()
	}
	return netip.AddrPortFrom(a, uint16(r.u()))
}

func (r *in) fd(f *bulwark.FD) {
	*f = bulwark.FD{Kind: bulwark.FDKind(r.u()), Num: r.small()}
	if r.u() == 0 {
		return
	}
	f.Name, f.Raw = r.bytes(), r.bytes()
	r.bits(&f.Outside, &f.Upper, &f.Server, &f.Connected)
	f.Inode, f.Device, f.Magic, f.Proto = r.u(), r.u(), r.u(), uint8(r.u())
	f.Local, f.Remote = r.addr(), r.addr()
}

// process reads facts; parent and container are numbers.
func (r *in) process(p *bulwark.Process) (parent, container uint64, accounts string) {
	for _, n := range [...]*int{&p.PID, &p.PPID, &p.VPID, &p.PGID, &p.SID, &p.VPGID, &p.VSID} {
		*n = r.small()
	}
	p.Start = r.i()
	parent, container = r.u(), r.u()
	for _, s := range [...]*string{&p.Name, &p.Exe, &p.Path, &p.CWD, &p.Missing, &accounts} {
		*s = r.text()
	}
	p.Args, p.Env = r.texts(), r.texts()
	for _, n := range [...]*uint32{&p.TTY, &p.UID, &p.GID, &p.Login, &p.Namespaces.Cgroup, &p.Namespaces.IPC, &p.Namespaces.Mount, &p.Namespaces.Net, &p.Namespaces.PID, &p.Namespaces.User, &p.Namespaces.UTS} {
		*n = uint32(r.u())
	}
	for _, n := range [...]*uint64{&p.Permitted, &p.Effective, &p.Inheritable, &p.Cgroup, &p.File.Inode, &p.File.Device} {
		*n = r.u()
	}
	p.File.Changed, p.File.Modified, p.Exec = r.i(), r.i(), r.i()
	for i := range p.Stdio {
		p.Stdio[i] = bulwark.FDKind(r.u())
	}
	var args, env bool
	r.bits(&p.Ended, &p.Before, &p.File.Upper, &p.File.Lower, &p.File.Memory, &p.File.Deleted, &p.File.Writable, &args, &env, &p.File.SetID)
	if !args {
		p.Args = nil
	}
	if !env {
		p.Env = nil
	}
	return parent, container, accounts
}

func malformed(format string, args ...any) error {
	return fmt.Errorf("trace: "+format+": %w", append(args, bulwark.ErrMalformed)...)
}

// kind is a kind of event as the file has it.
type kind struct {
	kind  bulwark.Kind // 0: this program has none of that name
	place []int        // where its arguments are here; -1: nowhere
	count int          // how many arguments there are here
}

// kindOf finds the kind that the file means.
func kindOf(name, params string) kind {
	k, _ := bulwark.KindNamed(name)
	here := k.Params()
	res := kind{kind: k, count: len(here)}
	for one := range strings.FieldsSeq(params) {
		at := -1
		for i, p := range here {
			if p.Name == one {
				at = i
			}
		}
		res.place = append(res.place, at)
	}
	return res
}
