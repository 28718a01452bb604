//go:build linux && (amd64 || arm64)

package kernel

import (
	"encoding/binary"
	"testing"

	"bulwark"
)

// record is an open of /etc/shadow.
func record() []byte {
	b := make([]byte, headBytes)
	binary.LittleEndian.PutUint16(b[4:], uint16(kindNamed("openat")))
	binary.LittleEndian.PutUint32(b[40:], 42)
	number := func(n uint64) { b = binary.LittleEndian.AppendUint64(append(b, tagNumber), n) }
	text := func(s string) { b = append(binary.LittleEndian.AppendUint16(append(b, tagText), uint16(len(s))), s...) }
	number(3)
	fd := make([]byte, fdBytes)
	fd[0] = tagFD
	binary.LittleEndian.PutUint32(fd[4:], 3)
	binary.LittleEndian.PutUint16(fd[24:], modeFile|0o600)
	binary.LittleEndian.PutUint16(fd[26:], uint16(len("/etc/shadow")))
	b = append(append(b, fd...), "/etc/shadow"...)
	number(0xffffffffffffff9c)
	text("link")
	number(0)
	number(0)
	number(1)
	number(2)
	return b
}

func TestDecodeMakesNothing(t *testing.T) {
	d, b := newDecoder(), record()
	if !d.decode(0, b) || string(d.events[0].FD.Name) != "/etc/shadow" || string(d.events[0].FD.Raw) != "link" || len(d.events[0].Args) != 7 {
		t.Fatalf("decoded %+v", d.events[0])
	}
	if n := testing.AllocsPerRun(100, func() { d.decode(0, b) }); n != 0 {
		t.Errorf("%v allocations an event", n)
	}
}

func BenchmarkDecode(b *testing.B) {
	d, r := newDecoder(), record()
	b.ReportAllocs()
	for b.Loop() {
		d.decode(0, r)
	}
}

func FuzzDecode(f *testing.F) {
	f.Add(record())
	exec := append(make([]byte, headBytes), make([]byte, processBytes)...)
	binary.LittleEndian.PutUint16(exec[4:], uint16(bulwark.KindExec))
	binary.LittleEndian.PutUint16(exec[54:], evExec)
	exec[headBytes] = tagProcess
	f.Add(append(exec, tagText, 1, 0, '/', tagNone, tagNone, tagText, 4, 0, 'a', 0, 'b', 0))
	exec[54]++
	f.Add(exec)
	d := newDecoder()
	f.Fuzz(func(t *testing.T, b []byte) {
		if !d.decode(0, b) {
			return
		}
		e := &d.events[0]
		if len(e.Args) > len(e.Kind.Params()) {
			t.Errorf("%v has %d arguments", e.Kind, len(e.Args))
		}
		e.Clone()
	})
}

// TestSourcesFitKinds holds the table of sources to that of kinds.
func TestSourcesFitKinds(t *testing.T) {
	for name, list := range ops {
		k, ok := bulwark.KindNamed(name)
		if !ok {
			t.Errorf("%s is no kind", name)
			continue
		}
		params := k.Params()
		for _, o := range list {
			if o.Op == opAddress || o.Op == opMsgAddress || o.Op == opCWD {
				continue
			}
			if len(params) == 0 {
				t.Errorf("%s has more sources than parameters", name)
				break
			}
			p := params[0]
			params = params[1:]
			texts := p.Type == bulwark.ParamText || p.Type == bulwark.ParamPath || p.Type == bulwark.ParamBytes
			if gives := o.Op == opText || o.Op == opBuffer || o.Op == opMessage; gives != texts && o.Op != opSkip {
				t.Errorf("%s: %s does not come from a source of its type", name, p.Name)
			}
		}
	}
	for _, k := range bulwark.Kinds() {
		if k.Syscall() && len(k.Params()) > 1 && ops[k.String()] == nil && k.String() != "umount" {
			t.Errorf("%s has no sources", k)
		}
	}
}
