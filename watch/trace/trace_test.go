package trace

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net/netip"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"

	"bulwark"
)

// sample writes a trace with two processes that change, and gives what was told.
func sample(t testing.TB, n int) (file []byte, want []string) {
	t.Helper()
	var b bytes.Buffer
	w, err := NewWriter(&b, Header{Kinds: []string{"execve", "openat"}, Node: "host:x"})
	if err != nil {
		t.Fatal(err)
	}
	w.Accounts = func(p *bulwark.Process) string { return fmt.Sprint("u", p.UID) }
	box := &bulwark.Container{ID: strings.Repeat("ab", 32), Image: "nginx:1", Labels: map[string]string{"a": "b"}, Pod: &bulwark.PodRef{Name: "p"}}
	up := &bulwark.Process{PID: 1, Start: 5, Name: "init", Args: []string{}, Namespaces: bulwark.Namespaces{PID: 7}}
	p := &bulwark.Process{PID: 9, PPID: 1, Start: 8, Parent: up, Container: box, Env: []string{"A=\xff\x1b"}, File: bulwark.Program{Upper: true, Inode: 4}}
	opened, _ := bulwark.KindNamed("openat")
	for i := range n {
		e := &bulwark.Event{Num: uint64(i + 1), Time: int64(1e18) + int64(i%7)*1e6, Kind: opened, Source: bulwark.SourceSyscall, Result: int64(-i), TID: 10, Process: p,
			Args: []bulwark.Arg{{Num: 3}, {Num: -100}, {Text: []byte("/etc/\x00passwd")}},
			FD:   bulwark.FD{Num: 3, Kind: bulwark.FDIPv4, Name: []byte("/etc/shadow"), Remote: netip.MustParseAddrPort("10.0.0.1:80"), Inode: 12, Server: true}}
		if i%3 == 0 {
			p.UID++
			w.Changed(p)
		}
		if err := w.Event(e); err != nil {
			t.Fatal(err)
		}
		want = append(want, telling(e, w.Accounts(p)))
		if i%5 == 0 {
			w.Tick(int64(i + 1))
			want = append(want, fmt.Sprint("tick ", i+1))
		}
		if i%50 == 49 {
			w.Reset()
		}
		if i%20 == 19 {
			w.Forgotten(p)
		}
	}
	if err := w.Flush(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes(), want
}

// telling is all of an event as a text.
func telling(e *bulwark.Event, user string) string {
	p := *e.Process
	up := *p.Parent
	c := *p.Container
	p.Parent, p.Container = nil, nil
	one := *e
	one.Process = nil
	return fmt.Sprintf("%#v %#v %#v %s %v %v %s", one, p, up, c.ID, c.Labels, c.Pod, user)
}

func read(t testing.TB, file []byte) (got []string) {
	t.Helper()
	r, err := NewReader(bytes.NewReader(file))
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	for {
		item, err := r.Next()
		if errors.Is(err, io.EOF) {
			return got
		}
		if err != nil {
			t.Fatal(err)
		}
		if item.Event == nil {
			got = append(got, fmt.Sprint("tick ", item.Tick))
			continue
		}
		got = append(got, telling(item.Event, r.Accounts(item.Event.Process)))
	}
}

func TestEverythingComesBack(t *testing.T) {
	file, want := sample(t, 3000)
	if diff := cmp.Diff(want, read(t, file), cmpopts.EquateEmpty()); diff != "" {
		t.Errorf("(-written +read):\n%.3000s", diff)
	}
	t.Logf("%d events in %d bytes", 3000, len(file))
}

func TestPackedFilesAreRead(t *testing.T) {
	file, want := sample(t, 100)
	var gz, zs bytes.Buffer
	g := gzip.NewWriter(&gz)
	g.Write(file)
	g.Close()
	z, _ := zstd.NewWriter(&zs)
	z.Write(file)
	z.Close()
	for name, b := range map[string][]byte{"gzip": gz.Bytes(), "zstd": zs.Bytes()} {
		if diff := cmp.Diff(want, read(t, b)); diff != "" {
			t.Errorf("%s: %.500s", name, diff)
		}
	}
}

func TestDamageIsTold(t *testing.T) {
	file, _ := sample(t, 500)
	for _, tt := range []struct {
		name string
		file []byte
		want error
	}{
		{"empty", nil, bulwark.ErrMalformed},
		{"something else", []byte("%PDF-1.4 and so on, for more bytes"), bulwark.ErrMalformed},
		{"cut", file[:len(file)-9], bulwark.ErrMalformed},
		{"flipped", append(append(bytes.Clone(file[:len(file)-20]), file[len(file)-20]^1), file[len(file)-19:]...), bulwark.ErrMalformed},
		{"later version", append(append([]byte(magic), 9), file[len(magic)+1:]...), bulwark.ErrUnsupported},
	} {
		if err := drain(tt.file); !errors.Is(err, tt.want) {
			t.Errorf("%s: %v, want %v", tt.name, err, tt.want)
		}
	}
}

func drain(file []byte) error {
	r, err := NewReader(bytes.NewReader(file))
	if err != nil {
		return err
	}
	defer r.Close()
	for {
		item, err := r.Next()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		if e := item.Event; e != nil && e.Process != nil {
			for p, i := e.Process, 0; p != nil; p = p.Parent {
				if i++; i > 2*maxUp {
					panic("a ring of processes")
				}
			}
		}
	}
}

// wrap makes a file of one block of records as they are.
func wrap(records []byte) []byte {
	var b bytes.Buffer
	w, _ := NewWriter(&b, Header{})
	w.block.b = append(w.block.b, records...)
	w.Flush()
	return b.Bytes()
}

func FuzzReader(f *testing.F) {
	file, _ := sample(f, 20)
	f.Add(file)
	f.Fuzz(func(t *testing.T, b []byte) { drain(b) })
}

func FuzzRecords(f *testing.F) {
	var o out
	o.u(recProcess)
	o.u(1)
	o.process(&bulwark.Process{PID: 3}, 2, 0, "u")
	f.Add(append([]byte{byte(len(o.b))}, o.b...))
	f.Fuzz(func(t *testing.T, b []byte) {
		if len(b) < maxBlock {
			drain(wrap(b))
		}
	})
}

func TestRingsAreRefused(t *testing.T) {
	var o, all out
	for _, pair := range [][2]uint64{{1, 0}, {2, 1}, {1, 2}} {
		o.b = nil
		o.u(recProcess)
		o.u(pair[0])
		o.process(&bulwark.Process{PID: 3}, pair[1], 0, "")
		all.bytes(o.b)
	}
	if err := drain(wrap(all.b)); !errors.Is(err, bulwark.ErrMalformed) {
		t.Errorf("a ring of parents gives %v", err)
	}
}
