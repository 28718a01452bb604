package object

import (
	"errors"
	"os"
	"strings"
	"testing"

	"bulwark"
)

// TestSelf reads the header of the running test, which is an ELF, PE or Mach-O file.
func TestSelf(t *testing.T) {
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	b, err := os.ReadFile(exe)
	if err != nil {
		t.Fatal(err)
	}
	f, err := Parse(b[:HeadSize])
	if err != nil {
		t.Fatal(err)
	}
	var exec, writable bool
	for i, r := range f.Regions {
		exec, writable = exec || r.Exec, writable || r.Writable
		if r.Off < 0 || r.End() > int64(len(b)) {
			t.Errorf("region %d: %+v is outside of %d bytes", i, r, len(b))
		}
	}
	if !exec || !writable || f.Entry == 0 && f.Kind == ELF {
		t.Errorf("Parse: %+v, want code, data and an entry point", f)
	}
	if off, ok := f.Offset(f.Entry); f.Kind == ELF && (!ok || off >= int64(len(b))) {
		t.Errorf("Offset(entry %#x) = %d, %v", f.Entry, off, ok)
	}
}

func TestParseErrors(t *testing.T) {
	for _, tt := range []struct {
		head string
		want error
	}{
		{"", bulwark.ErrUnsupported},
		{"#!/bin/sh", bulwark.ErrUnsupported},
		{"\x7fELF", bulwark.ErrMalformed},
		{"\x7fELF\x02\x01\x01" + strings.Repeat("\xff", 100), bulwark.ErrMalformed},
		{"MZ" + strings.Repeat("\x00", 100), bulwark.ErrUnsupported},
		{"MZ" + strings.Repeat("\x00", 0x3a) + "\x40\x00\x00\x00PE\x00\x00" + strings.Repeat("\xff", 40), bulwark.ErrMalformed},
		{"\xcf\xfa\xed\xfe" + strings.Repeat("\x01", 100), bulwark.ErrMalformed},
		{"\xca\xfe\xba\xbe", bulwark.ErrUnsupported},
	} {
		if _, err := Parse([]byte(tt.head)); !errors.Is(err, tt.want) {
			t.Errorf("Parse(%.20q) = %v, want %v", tt.head, err, tt.want)
		}
	}
}

func FuzzParse(f *testing.F) {
	f.Add([]byte("\x7fELF\x02\x01\x01" + strings.Repeat("\x00", 60)))
	f.Add([]byte("MZ" + strings.Repeat("\x00", 0x3a) + "\x40\x00\x00\x00PE\x00\x00\x64\x86\x01\x00" + strings.Repeat("\x00", 80)))
	f.Add([]byte("\xcf\xfa\xed\xfe" + strings.Repeat("\x00", 12) + "\x01\x00\x00\x00" + strings.Repeat("\x00", 12) + "\x19\x00\x00\x00\x48" + strings.Repeat("\x00", 80)))
	f.Fuzz(func(t *testing.T, head []byte) {
		file, _ := Parse(head)
		if len(file.Regions) > maxRegions {
			t.Errorf("%d regions", len(file.Regions))
		}
		for _, r := range file.Regions {
			if r.Off < 0 || r.Size <= 0 || r.End() < r.Off {
				t.Errorf("region %+v", r)
			}
		}
	})
}
