package lang

import (
	"bytes"
	"errors"
	"strings"
	"testing"

	"bulwark"
)

func TestNameAndVersion(t *testing.T) {
	for _, tt := range []struct {
		in            string
		name, version bool
	}{
		{"express", true, true},
		{" 1.0 ", true, true},
		{"invalid main", true, false},
		{"", false, true},
		{"a\x1b[31mb", false, false},
		{"a\u202eb", false, false},
		{"a\xffb", false, false},
		{"naïve", true, true},
		{strings.Repeat("a", 600), false, false},
	} {
		if _, ok := Name(tt.in); ok != tt.name {
			t.Errorf("Name(%q) = %v, want %v", tt.in, ok, tt.name)
		}
		if _, ok := Version(tt.in); ok != tt.version {
			t.Errorf("Version(%q) = %v, want %v", tt.in, ok, tt.version)
		}
	}
}

func TestReadAll(t *testing.T) {
	f := &bulwark.File{FileInfo: bulwark.FileInfo{Size: 5}, ReaderAt: bytes.NewReader([]byte("hello"))}
	if b, err := ReadAll(f, 5); err != nil || string(b) != "hello" {
		t.Errorf("ReadAll = %q, %v", b, err)
	}
	if _, err := ReadAll(f, 4); !errors.Is(err, bulwark.ErrLimit) {
		t.Errorf("ReadAll beyond its budget: %v, want ErrLimit", err)
	}
	f.Size = 9
	if _, err := ReadAll(f, 100); err == nil {
		t.Error("ReadAll of a file that is shorter than it claims: no error")
	}
	if b, err := Head(f, 3); err != nil || string(b) != "hel" {
		t.Errorf("Head = %q, %v", b, err)
	}
}
