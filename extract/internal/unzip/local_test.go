package unzip

import (
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

// push reads an archive in pieces of n bytes.
func push(data []byte, n int) (got []string, err error) {
	var name string
	var method uint16
	var packed []byte
	budget := Budget{Entries: 1000, Bytes: 1 << 22}
	l := Locals{
		Begin: func(e *Local) error {
			name, method, packed = string(e.Name), e.Method, packed[:0]
			return budget.Entry()
		},
		Body: func(p []byte) error {
			if packed = append(packed, p...); p != nil {
				return nil
			}
			return Unpack(bytes.NewReader(packed), method, &budget, func(r io.Reader) error {
				b, err := io.ReadAll(r)
				got = append(got, name+"="+string(b))
				return err
			})
		},
	}
	for i := 0; i < len(data) && !l.Done; i += n {
		if err := l.Push(bytes.Clone(data[i:min(i+n, len(data))])); err != nil {
			return got, err
		}
	}
	return got, l.Close()
}

// told makes the sizes of the archive's first entry known in its local header, as
// writers that can seek do; its descriptor stays.
func told(data []byte, packed int) []byte {
	data = bytes.Clone(data)
	binary.LittleEndian.PutUint32(data[18:], uint32(packed))
	return data
}

func TestLocals(t *testing.T) {
	inner := build(t, "", "x", "PK\x07\x08 no descriptor", "=y", "PK\x03\x04")
	want := []string{"a=hello", "b=stored", "dir/=", "in.jar=" + string(inner), "empty=", "long=" + strings.Repeat("x", 5000)}
	data := build(t, "", "a", "hello", "=b", "stored", "dir/", "", "=in.jar", string(inner), "=empty", "", "long", strings.Repeat("x", 5000))
	for _, n := range []int{1, 2, 3, 7, 100, 1 << 20} {
		for name, data := range map[string][]byte{"plain": data, "behind a program": append([]byte("#!/bin/sh\nP PK PK\x01\x02\n"), data...)} {
			got, err := push(data, n)
			if err != nil {
				t.Errorf("%s in pieces of %d: %v", name, n, err)
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("%s in pieces of %d (-want +got):\n%s", name, n, diff)
			}
		}
	}
}

func TestLocalsSized(t *testing.T) {
	data := build(t, "", "=a", "hello", "=b", "bye")
	got, err := push(told(data, 5), 4)
	if diff := cmp.Diff([]string{"a=hello", "b=bye"}, got); diff != "" || err != nil {
		t.Errorf("%v (-want +got):\n%s", err, diff)
	}
}

func TestLocalsHostile(t *testing.T) {
	data := build(t, "", "a", "hello")
	for name, b := range map[string][]byte{
		"empty":           nil,
		"no zip":          []byte(strings.Repeat("P", 1000)),
		"cut off":         data[:40],
		"without its end": data[:bytes.Index(data, []byte(entryMagic))],
		"longer than it":  told(data, 1<<30),
	} {
		if _, err := push(b, 16); !errors.Is(err, bulwark.ErrMalformed) {
			t.Errorf("%s: %v, want ErrMalformed", name, err)
		}
	}
}

// The size of the pieces does not matter.
func FuzzLocals(f *testing.F) {
	f.Add(build(f, "", "a", "hello", "=b", "stored", "dir/", ""), 3)
	f.Add(told(build(f, "", "=a", "hello"), 5), 1)
	f.Fuzz(func(t *testing.T, data []byte, n int) {
		if n < 1 {
			return
		}
		one, err1 := push(data, max(len(data), 1))
		two, err2 := push(data, n)
		if a, b := fmt.Sprint(one, err1 != nil), fmt.Sprint(two, err2 != nil); a != b {
			t.Fatalf("in one piece %s\nin pieces of %d %s", a, n, b)
		}
	})
}
