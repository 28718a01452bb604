package spool

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"bulwark"
)

func open(t *testing.T, dir string, max int64) *Spool {
	t.Helper()
	s, err := Open(dir, max)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s
}

func take(t *testing.T, s *Spool) string {
	t.Helper()
	m, err := s.Oldest()
	if err != nil {
		t.Fatal(err)
	}
	if m == nil {
		return ""
	}
	if err := s.Taken(len(m)); err != nil {
		t.Fatal(err)
	}
	return string(m)
}

// TestAgainstList does what chance says with a spool that is closed and opened again and again, and with a list: they agree, and
// the folder never has more bytes than allowed.
func TestAgainstList(t *testing.T) {
	for seed := range uint64(10) {
		rnd := rand.New(rand.NewPCG(seed, 1))
		dir := t.TempDir()
		const max = 4000
		s := open(t, dir, max)
		var list []string
		for i := range 400 {
			switch rnd.IntN(8) {
			case 0:
				s.Close()
				s = open(t, dir, max)
			case 1, 2, 3:
				want := ""
				if len(list) > 0 {
					want, list = list[0], list[1:]
				}
				if got := take(t, s); got != want {
					t.Fatalf("seed %d: %.20q, want %.20q", seed, got, want)
				}
			default:
				m := fmt.Sprintf("%d:%s", i, strings.Repeat("x", rnd.IntN(300)))
				err := s.Add([]byte(m))
				if err == nil {
					list = append(list, m)
				} else if !errors.Is(err, bulwark.ErrLimit) {
					t.Fatal(err)
				}
			}
			if n, size := s.Len(); n != len(list) || size > max || onDisk(t, dir) != size {
				t.Fatalf("seed %d: %d messages, want %d; %d bytes, on disk %d", seed, n, len(list), size, onDisk(t, dir))
			}
		}
	}
}

func onDisk(t *testing.T, dir string) (size int64) {
	t.Helper()
	files, _ := filepath.Glob(filepath.Join(dir, "*"+ending))
	for _, f := range files {
		st, err := os.Stat(f)
		if err != nil {
			t.Fatal(err)
		}
		size += st.Size()
	}
	return size
}

// TestCrash cuts the files off at every byte: what is whole is there, and more can be added.
func TestCrash(t *testing.T) {
	dir := t.TempDir()
	s := open(t, dir, 1<<20)
	for _, m := range []string{"one", "two", "three"} {
		if err := s.Add([]byte(m)); err != nil {
			t.Fatal(err)
		}
	}
	s.Close()
	whole, err := os.ReadFile(s.file(1))
	if err != nil {
		t.Fatal(err)
	}
	for n := range len(whole) {
		if err := os.WriteFile(s.file(1), whole[:n], 0o600); err != nil {
			t.Fatal(err)
		}
		os.Remove(filepath.Join(dir, "taken"))
		again := open(t, dir, 1<<20)
		if err := again.Add([]byte("more")); err != nil {
			t.Fatal(err)
		}
		var got []string
		for m := take(t, again); m != ""; m = take(t, again) {
			got = append(got, m)
		}
		again.Close()
		want := []string{"one", "two", "three"}[:len(got)-1]
		if !slices.Equal(got, append(slices.Clone(want), "more")) {
			t.Errorf("%d bytes: %q", n, got)
		}
		files, _ := filepath.Glob(filepath.Join(dir, "*"+ending))
		for _, f := range files {
			os.Remove(f)
		}
	}
}

func TestDamage(t *testing.T) {
	dir := t.TempDir()
	s := open(t, dir, 1<<20)
	s.Add([]byte("one"))
	s.Add([]byte("two"))
	f, err := os.OpenFile(s.file(1), os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	f.WriteAt([]byte("X"), head)
	f.Close()
	if _, err := s.Oldest(); !errors.Is(err, bulwark.ErrMalformed) {
		t.Error(err)
	}
	if n := s.Skip(); n != 2 {
		t.Error(n)
	}
	if err := s.Add([]byte("three")); err != nil || take(t, s) != "three" {
		t.Error(err)
	}
	if _, err := Open(dir, 1); !errors.Is(err, bulwark.ErrUnavailable) {
		t.Error("opened twice: ", err)
	}
}

func FuzzOpen(f *testing.F) {
	f.Add([]byte("\x01\x00\x00\x00\x00\x00\x00\x00a"), []byte("1 0\n"))
	f.Add([]byte("\xff\xff\xff\xff"), []byte("-1 99999999999999999999\n"))
	f.Fuzz(func(t *testing.T, segment, taken []byte) {
		dir := t.TempDir()
		os.WriteFile(filepath.Join(dir, fmt.Sprintf("%016d%s", 1, ending)), segment, 0o600)
		os.WriteFile(filepath.Join(dir, "taken"), taken, 0o600)
		s := open(t, dir, 1<<20)
		if err := s.Add([]byte("mine")); err != nil && !errors.Is(err, bulwark.ErrLimit) {
			t.Fatal(err)
		}
		last := ""
		for m := take(t, s); m != ""; m = take(t, s) {
			last = m
		}
		if last != "mine" {
			t.Errorf("%q", last)
		}
	})
}
