package bdb

import (
	"bytes"
	"encoding/binary"
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"

	"bulwark"
	"bulwark/extract/rpm/internal/rpmtest"
)

func read(content []byte) (list []string, err error) {
	err = Values(bytes.NewReader(content), int64(len(content)), func(value []byte) error {
		list = append(list, string(value))
		return nil
	})
	return list, err
}

func TestValues(t *testing.T) {
	long := string(bytes.Repeat([]byte("x"), 10_000))
	for _, order := range []binary.ByteOrder{binary.LittleEndian, binary.BigEndian} {
		got, err := read(rpmtest.BDB(order, 512, []byte("one"), []byte(long)))
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff([]string{"\x01\x00\x00\x00", "one", long}, got); diff != "" {
			t.Errorf("%v (-want +got):\n%s", order, diff)
		}
	}
}

func TestBadInput(t *testing.T) {
	good := rpmtest.BDB(binary.LittleEndian, 512, bytes.Repeat([]byte("x"), 2000))
	change := func(at int, b ...byte) []byte {
		c := bytes.Clone(good)
		copy(c[at:], b)
		return c
	}
	const value = 3 * 512 // the first overflow page
	for name, tt := range map[string]struct {
		content []byte
		want    error
	}{
		"empty":         {nil, bulwark.ErrMalformed},
		"b-tree":        {change(12, 0x62, 0x31, 5), bulwark.ErrMalformed},
		"encrypted":     {change(24, 1), bulwark.ErrUnsupported},
		"page size":     {change(20, 1), bulwark.ErrMalformed},
		"last page":     {change(32, 200), bulwark.ErrMalformed},
		"items":         {change(512+20, 0xff, 0xff), bulwark.ErrMalformed},
		"item":          {change(512+28, 0xff, 0xff), bulwark.ErrMalformed},
		"circle":        {change(value+16, 3), nil}, // ends with the value's length, each page counted
		"chain ends":    {change(value+16, 0), bulwark.ErrMalformed},
		"no chain page": {change(value+25, 13), bulwark.ErrMalformed},
		"cut":           {good[:3*512], bulwark.ErrMalformed},
	} {
		if _, err := read(tt.content); !errors.Is(err, tt.want) {
			t.Errorf("%s: error %v, want %v", name, err, tt.want)
		}
	}
}

func FuzzValues(f *testing.F) {
	f.Add(rpmtest.BDB(binary.LittleEndian, 512, []byte("one"), bytes.Repeat([]byte("x"), 1000)))
	f.Add(rpmtest.BDB(binary.BigEndian, 512, []byte("one")))
	f.Fuzz(func(t *testing.T, content []byte) {
		list, err := read(content)
		if err != nil && !errors.Is(err, bulwark.ErrMalformed) && !errors.Is(err, bulwark.ErrUnsupported) && !errors.Is(err, bulwark.ErrLimit) {
			t.Errorf("error %v wraps none of ours", err)
		}
		if len(list) > len(content) {
			t.Errorf("%d values in %d bytes", len(list), len(content))
		}
	})
}
