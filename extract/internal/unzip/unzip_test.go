package unzip

import (
	"archive/zip"
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"bulwark"
)

// build writes an archive of the files, which are name, content pairs; a name that
// begins with "=" is stored.
func build(t testing.TB, comment string, files ...string) []byte {
	t.Helper()
	var b bytes.Buffer
	w := zip.NewWriter(&b)
	for i := 0; i < len(files); i += 2 {
		h := &zip.FileHeader{Name: strings.TrimPrefix(files[i], "="), Method: zip.Deflate}
		if files[i][0] == '=' {
			h.Method = zip.Store
		}
		f, err := w.CreateHeader(h)
		if err != nil {
			t.Fatal(err)
		}
		io.WriteString(f, files[i+1])
	}
	w.SetComment(comment)
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func readAll(data []byte, budget Budget) ([]string, error) {
	a, err := Open(bytes.NewReader(data), int64(len(data)), &budget)
	if err != nil {
		return nil, err
	}
	var got []string
	var problems error
	err = a.Each(func(e *Entry) error {
		if e.IsDir() {
			return nil
		}
		b, err := a.Read(e, 1<<20)
		problems = errors.Join(problems, err)
		got = append(got, string(e.Name)+"="+string(b))
		return nil
	})
	return got, errors.Join(err, problems)
}

var plenty = Budget{Entries: 1000, Bytes: 1 << 24}

func TestRead(t *testing.T) {
	plain := build(t, "", "a", "hello", "=b", "stored", "dir/", "")
	for name, data := range map[string][]byte{
		"plain":                 plain,
		"behind a program":      append([]byte("#!/bin/sh\nexec java -jar $0\n"), plain...),
		"with a comment":        build(t, "PK\x05\x06 not the end", "a", "hello", "=b", "stored"),
		"with bytes at its end": append(bytes.Clone(plain), "trailing"...),
	} {
		got, err := readAll(data, plenty)
		if err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if diff := cmp.Diff([]string{"a=hello", "b=stored"}, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
}

func TestManyEntries(t *testing.T) {
	var files []string
	for i := range 70_000 { // more than fit without zip64
		files = append(files, fmt.Sprintf("=f%d", i), "")
	}
	data := build(t, "", files...)
	got, err := readAll(data, Budget{Entries: 80_000, Bytes: 1 << 20})
	if err != nil || len(got) != 70_000 || got[69_999] != "f69999=" {
		t.Errorf("got %d entries, %v", len(got), err)
	}
	if _, err := readAll(data, Budget{Entries: 1000, Bytes: 1 << 20}); !errors.Is(err, bulwark.ErrLimit) {
		t.Errorf("error %v, want ErrLimit", err)
	}
}

func TestHostile(t *testing.T) {
	bomb := build(t, "", "zeros", strings.Repeat("\x00", 1<<20))
	good := build(t, "", "a", strings.Repeat("hello", 100))
	cd := bytes.LastIndex(good, []byte(entryMagic))
	edit := func(change func(b []byte)) []byte {
		b := bytes.Clone(good)
		change(b)
		return b
	}
	for _, tt := range []struct {
		name   string
		data   []byte
		budget Budget
		want   error
	}{
		{"empty", nil, plenty, bulwark.ErrMalformed},
		{"no zip", []byte(strings.Repeat("x", 100)), plenty, bulwark.ErrMalformed},
		{"cut off", good[:len(good)-30], plenty, bulwark.ErrMalformed},
		{"bytes beyond the budget", bomb, Budget{Entries: 10, Bytes: 1000}, bulwark.ErrLimit},
		{"claims more than deflate can", edit(func(b []byte) { binary.LittleEndian.PutUint32(b[cd+24:], 1<<20) }), plenty, bulwark.ErrMalformed},
		{"claims less", edit(func(b []byte) { binary.LittleEndian.PutUint32(b[cd+24:], 10) }), plenty, bulwark.ErrMalformed},
		{"packed longer than the file", edit(func(b []byte) { binary.LittleEndian.PutUint32(b[cd+20:], 1<<30) }), plenty, bulwark.ErrMalformed},
		{"offset outside", edit(func(b []byte) { binary.LittleEndian.PutUint32(b[cd+42:], 1<<30) }), plenty, bulwark.ErrMalformed},
		{"wrong sum", edit(func(b []byte) { b[cd+16] ^= 1 }), plenty, bulwark.ErrMalformed},
		{"corrupt stream", edit(func(b []byte) { b[31+1] = 0xff }), plenty, bulwark.ErrMalformed},
		{"encrypted", edit(func(b []byte) { b[cd+8] |= 1 }), plenty, bulwark.ErrUnsupported},
		{"unknown method", edit(func(b []byte) { b[cd+10] = 99 }), plenty, bulwark.ErrUnsupported},
		{"long name", edit(func(b []byte) { binary.LittleEndian.PutUint16(b[cd+28:], 5000) }), plenty, bulwark.ErrMalformed},
	} {
		if _, err := readAll(tt.data, tt.budget); !errors.Is(err, tt.want) {
			t.Errorf("%s: error %v, want %v", tt.name, err, tt.want)
		}
	}
}

// Entries that overlap cost no more than the budget.
func TestOverlap(t *testing.T) {
	one := build(t, "", "a", strings.Repeat("\x00", 1<<20))
	cd := bytes.LastIndex(one, []byte(entryMagic))
	end := bytes.LastIndex(one, []byte(endMagic))
	data := bytes.Clone(one[:cd])
	for range 500 {
		data = append(data, one[cd:end]...)
	}
	tail := bytes.Clone(one[end:])
	binary.LittleEndian.PutUint32(tail[12:], uint32(500*(end-cd)))
	data = append(data, tail...)
	if _, err := readAll(data, plenty); !errors.Is(err, bulwark.ErrLimit) {
		t.Errorf("error %v, want ErrLimit", err)
	}
}

func TestStream(t *testing.T) {
	data := build(t, "", "a", strings.Repeat("\x00", 1<<20))
	budget := Budget{Entries: 10, Bytes: 100 << 10}
	a, err := Open(bytes.NewReader(data), int64(len(data)), &budget)
	if err != nil {
		t.Fatal(err)
	}
	err = a.Each(func(e *Entry) error {
		if err := a.Stream(e, func(r io.Reader) error { _, err := io.ReadFull(r, make([]byte, 1000)); return err }); err != nil {
			t.Errorf("the first 1000 bytes: %v", err)
		}
		return a.Stream(e, func(r io.Reader) error { _, err := io.Copy(io.Discard, r); return err })
	})
	if !errors.Is(err, bulwark.ErrLimit) {
		t.Errorf("all of it: %v, want ErrLimit", err)
	}
}

// Nothing panics or costs more than the budget.
func FuzzRead(f *testing.F) {
	f.Add(build(f, "", "a", "hello", "=b", "stored", "dir/", ""))
	f.Add(build(f, "comment", "a", strings.Repeat("x", 1000)))
	f.Add(append([]byte("prefix"), build(f, "", "=a", "b")...))
	f.Fuzz(func(t *testing.T, data []byte) {
		readAll(data, Budget{Entries: 100, Bytes: 1 << 20})
	})
}
