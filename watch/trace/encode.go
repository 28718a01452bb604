package trace

import (
	"encoding/binary"
	"net/netip"

	"bulwark"
)

// bytes that are written.
type out struct{ b []byte }

func (o *out) u(n uint64)     { o.b = binary.AppendUvarint(o.b, n) }
func (o *out) i(n int64)      { o.b = binary.AppendVarint(o.b, n) }
func (o *out) text(s string)  { o.u(uint64(len(s))); o.b = append(o.b, s...) }
func (o *out) bytes(s []byte) { o.u(uint64(len(s))); o.b = append(o.b, s...) }

func (o *out) bits(set ...bool) {
	var n uint64
	for i, s := range set {
		if s {
			n |= 1 << i
		}
	}
	o.u(n)
}

func (o *out) texts(list []string) {
	list = list[:min(len(list), maxList)]
	o.u(uint64(len(list)))
	for _, s := range list {
		o.text(s)
	}
}

func (o *out) addr(a netip.AddrPort) {
	b := a.Addr().AsSlice()
	o.bytes(b)
	if len(b) > 0 {
		o.u(uint64(a.Port()))
	}
}

func (o *out) fd(f *bulwark.FD) {
	o.u(uint64(f.Kind))
	if o.i(int64(f.Num)); f.Kind == bulwark.FDNone && len(f.Name) == 0 && len(f.Raw) == 0 && !f.Local.IsValid() && !f.Remote.IsValid() {
		o.u(0)
		return
	}
	o.u(1)
	o.bytes(f.Name)
	o.bytes(f.Raw)
	o.bits(f.Outside, f.Upper, f.Server, f.Connected)
	o.u(f.Inode)
	o.u(f.Device)
	o.u(f.Magic)
	o.u(uint64(f.Proto))
	o.addr(f.Local)
	o.addr(f.Remote)
}

func (o *out) event(e *bulwark.Event, kind, process uint64, last int64) {
	o.u(kind)
	o.u(process)
	o.i(e.Time - last)
	o.i(int64(e.CPU))
	o.text(e.Source)
	o.i(e.Result)
	o.i(int64(e.TID))
	o.u(uint64(len(e.Args)))
	for _, a := range e.Args {
		o.i(a.Num)
		o.bytes(a.Text)
	}
	o.fd(&e.FD)
	o.bytes(e.Doc)
}

func (o *out) process(p *bulwark.Process, parent, container uint64, accounts string) {
	for _, n := range [...]int{p.PID, p.PPID, p.VPID, p.PGID, p.SID, p.VPGID, p.VSID} {
		o.i(int64(n))
	}
	o.i(p.Start)
	o.u(parent)
	o.u(container)
	for _, s := range [...]string{p.Name, p.Exe, p.Path, p.CWD, p.Missing, accounts} {
		o.text(s)
	}
	o.texts(p.Args)
	o.texts(p.Env)
	for _, n := range [...]uint32{p.TTY, p.UID, p.GID, p.Login, p.Namespaces.Cgroup, p.Namespaces.IPC, p.Namespaces.Mount, p.Namespaces.Net, p.Namespaces.PID, p.Namespaces.User, p.Namespaces.UTS} {
		o.u(uint64(n))
	}
	for _, n := range [...]uint64{p.Permitted, p.Effective, p.Inheritable, p.Cgroup, p.File.Inode, p.File.Device} {
		o.u(n)
	}
	o.i(p.File.Changed)
	o.i(p.File.Modified)
	o.i(p.Exec)
	for _, k := range p.Stdio {
		o.u(uint64(k))
	}
	o.bits(p.Ended, p.Before, p.File.Upper, p.File.Lower, p.File.Memory, p.File.Deleted, p.File.Writable, p.Args != nil, p.Env != nil, p.File.SetID)
}
