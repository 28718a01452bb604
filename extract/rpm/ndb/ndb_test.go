package ndb

import (
	"bytes"
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"

	"bulwark"
	"bulwark/extract/rpm/internal/rpmtest"
)

func read(content []byte) (list []string, err error) {
	err = Blobs(bytes.NewReader(content), int64(len(content)), func(blob []byte) error {
		list = append(list, string(blob))
		return nil
	})
	return list, err
}

func TestBlobs(t *testing.T) {
	long := string(bytes.Repeat([]byte("x"), 10_000))
	got, err := read(rpmtest.NDB([]byte("one"), []byte(long), nil))
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"one", long, ""}, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestBadInput(t *testing.T) {
	good := rpmtest.NDB([]byte("one"), []byte("two"))
	change := func(at int, b ...byte) []byte {
		c := bytes.Clone(good)
		copy(c[at:], b)
		return c
	}
	for name, tt := range map[string]struct {
		content []byte
		want    error
	}{
		"empty":            {nil, bulwark.ErrMalformed},
		"mark":             {change(0, 'x'), bulwark.ErrMalformed},
		"version":          {change(4, 9), bulwark.ErrUnsupported},
		"pages of slots":   {change(12, 0xff, 0xff), bulwark.ErrMalformed},
		"mark of a slot":   {change(48, 'x'), bulwark.ErrMalformed},
		"mark of a blob":   {change(4096, 'x'), bulwark.ErrMalformed},
		"blob far away":    {change(32+8, 0xff, 0xff), bulwark.ErrMalformed},
		"length of a blob": {change(4096+12, 0xff, 0xff, 0xff, 0xff), bulwark.ErrMalformed},
		"cut":              {good[:len(good)-40], bulwark.ErrMalformed},
	} {
		if _, err := read(tt.content); !errors.Is(err, tt.want) {
			t.Errorf("%s: error %v, want %v", name, err, tt.want)
		}
	}
}

func FuzzBlobs(f *testing.F) {
	f.Add(rpmtest.NDB([]byte("one"), bytes.Repeat([]byte("x"), 100)))
	f.Fuzz(func(t *testing.T, content []byte) {
		list, err := read(content)
		if err != nil && !errors.Is(err, bulwark.ErrMalformed) && !errors.Is(err, bulwark.ErrUnsupported) && !errors.Is(err, bulwark.ErrLimit) {
			t.Errorf("error %v wraps none of ours", err)
		}
		total := 0
		for _, s := range list {
			total += len(s)
		}
		if total > len(content) {
			t.Errorf("%d bytes out of %d", total, len(content))
		}
	})
}
