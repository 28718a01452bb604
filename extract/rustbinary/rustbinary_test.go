package rustbinary

import (
	"bytes"
	"compress/zlib"
	elffile "debug/elf"
	"encoding/binary"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"bulwark"
	"bulwark/extract/internal/inspecttest"
)

const crateList = `{"packages":[{"name":"adler","version":"1.0.2","source":"crates.io"},` +
	`{"name":"cc","version":"1.0.83","source":"crates.io","kind":"build"},` +
	`{"name":"app","version":"0.1.0","source":"local","dependencies":[0],"root":true},` +
	`{"name":"fork","version":"2.0.0","source":"git"}]}`

var found = []string{"pkg:cargo/adler@1.0.2 crates.io", "pkg:cargo/app@0.1.0 crates.io", "pkg:cargo/fork@2.0.0 "}

func compress(text string, level int) []byte {
	var b bytes.Buffer
	w, err := zlib.NewWriterLevel(&b, level)
	if err != nil {
		panic(err)
	}
	w.Write([]byte(text))
	w.Close()
	return b.Bytes()
}

// elf lays out a dynamic program that imports the unwinder: a page of headers, then
// constants with the list in them, all in one segment of 256 KB.
func elf(list []byte, at int) []byte {
	le := binary.LittleEndian
	b := []byte{0x7f, 'E', 'L', 'F', 2, 1, 1, 15: 0}
	b = le.AppendUint32(le.AppendUint16(le.AppendUint16(b, 3), 62), 1)
	b = le.AppendUint64(le.AppendUint64(le.AppendUint64(b, 0x1000), 64), 0)
	b = le.AppendUint32(b, 0)
	for _, n := range []uint16{64, 56, 1, 0, 0, 0} {
		b = le.AppendUint16(b, n)
	}
	b = le.AppendUint32(le.AppendUint32(b, 1), 4)
	for _, n := range []uint64{0, 0, 0, 256 << 10, 256 << 10, 0x1000} {
		b = le.AppendUint64(b, n)
	}
	b = append(b, "\x00_Unwind_GetLanguageSpecificData\x00libc.so.6\x00"...)
	out := make([]byte, 256<<10)
	r := rand.New(rand.NewPCG(1, 2))
	for i := range out {
		if out[i] = byte(r.Uint32()); i%3 == 0 {
			out[i] = 0x78 // many places that a list might start at
		}
	}
	copy(out, b)
	copy(out[at:], list)
	return out
}

// pe lays out a Windows program with the section.
func pe(list []byte) []byte {
	le := binary.LittleEndian
	b := make([]byte, 0x40, 64<<10)
	copy(b, "MZ")
	le.PutUint32(b[0x3c:], 0x40)
	b = append(b, "PE\x00\x00"...)
	b = le.AppendUint16(le.AppendUint16(b, 0x8664), 1)
	b = append(b, make([]byte, 12)...)
	b = le.AppendUint16(le.AppendUint16(b, 2), 0) // two bytes of optional header
	b = le.AppendUint16(b, 0x20b)
	b = append(b, ".dep-v0\x00"...)
	for _, n := range []int{len(list), 0x1000, len(list), 0x8000} {
		b = le.AppendUint32(b, uint32(n))
	}
	b = append(b, make([]byte, 16)...)
	out := make([]byte, 64<<10)
	copy(out, b)
	copy(out[0x8000:], list)
	return out
}

func lines(f bulwark.Facts) []string {
	var l []string
	for _, p := range f.Packages {
		l = append(l, p.PURL+" "+p.Ecosystem)
	}
	return l
}

func TestLayouts(t *testing.T) {
	for name, content := range map[string][]byte{
		"elf":              elf(compress(crateList, 7), 0x1234),
		"elf, at piece":    elf(compress(crateList, 9), 64<<10-5),
		"elf, at its end":  elf(compress(crateList, 9), 256<<10-len(compress(crateList, 9))),
		"elf, in the head": elf(compress(crateList, 6), 0x400),
		"pe":               pe(compress(crateList, 7)),
	} {
		for _, piece := range []int{13, 4096, 64 << 10, 256 << 10} {
			facts, err := inspecttest.Feed(t, New(), "usr/bin/tool", content, piece)
			if err != nil {
				t.Errorf("%s, pieces of %d: %v", name, piece, err)
			}
			if diff := cmp.Diff(found, lines(facts)); diff != "" {
				t.Errorf("%s, pieces of %d (-want +got):\n%s", name, piece, diff)
			}
		}
	}
}

func TestNothing(t *testing.T) {
	noRust := bytes.Replace(elf(compress(crateList, 7), 0x1234), []byte("_Unwind_GetLanguage"), []byte("_Zwind_GetLanguageS"), 1)
	for name, content := range map[string][]byte{
		"no list":    elf(nil, 0x1234),
		"no Rust":    noRust,
		"other JSON": elf(compress(`{"modules":[]}`, 7), 0x1234),
		"a script":   append([]byte("#!/bin/sh\n"), make([]byte, 64<<10)...),
	} {
		facts, err := inspecttest.Feed(t, New(), "usr/bin/tool", content, 64<<10)
		if err != nil || len(facts.Packages) > 0 {
			t.Errorf("%s: %v, %v", name, lines(facts), err)
		}
	}
}

func TestHostile(t *testing.T) {
	bomb := compress(`{"packages":[`+strings.Repeat(" ", 64<<20), 9)
	noise := make([]byte, 0, 2<<20)
	for i := range 1 << 17 {
		noise = fmt.Appendf(noise, `{"name":"c%x"},`, uint32(i)*2654435761)
	}
	cut := compress(crateList, 7)
	for _, tt := range []struct {
		name    string
		content []byte
		want    error
	}{
		{"bomb", elf(bomb, 0x1234), bulwark.ErrLimit},
		{"cut", elf(cut[:len(cut)-20], 256<<10-len(cut)+20), bulwark.ErrMalformed},
		{"crates without end", pe(compress(`{"packages":[`+string(noise), 9)), bulwark.ErrMalformed},
		{"control characters", elf(compress(`{"packages":[{"name":"\u001b[31m","version":"1"},{"name":"b","version":"2"}]}`, 7), 0x1234), bulwark.ErrMalformed},
		{"wrong types", elf(compress(`{"packages":[{"name":["a"],"version":{}}]}`, 7), 0x1234), bulwark.ErrMalformed},
	} {
		facts, err := inspecttest.Feed(t, New(), "usr/bin/tool", tt.content, 64<<10)
		if !errors.Is(err, tt.want) {
			t.Errorf("%s: %v, want %v", tt.name, err, tt.want)
		}
		for _, p := range facts.Packages {
			if p.Name == "" || strings.ContainsRune(p.Name, 0x1b) {
				t.Errorf("%s: package %q", tt.name, p.Name)
			}
		}
	}
}

// program is what a Rust program is to the linker: it imports the unwinder, and an object
// with the list in a section of constants is kept by the name of its symbol, as
// cargo-auditable asks for it.
const program = `#include <stdio.h>
#include <unwind.h>
__asm__(".section .dep-v0,\"a\",%progbits\n"
	".globl AUDITABLE_VERSION_INFO\nAUDITABLE_VERSION_INFO:\n"
	".incbin \"list\"\n.previous\n");
const char constants[300000] = "as many as the standard library brings";
int main(int argc, char **argv) {
	printf("%p %s\n", (void *)_Unwind_GetLanguageSpecificData, constants + argc);
	return 0;
}
`

// TestRealLinker links programs as rustc does, by the C compiler, and looks for the list
// where the linker has put it.
func TestRealLinker(t *testing.T) {
	gcc, err := exec.LookPath("gcc")
	if err != nil {
		if os.Getenv("CI") == "true" {
			t.Fatal("gcc is not installed")
		}
		t.Skip("gcc is not installed")
	}
	dir := t.TempDir()
	if err := errors.Join(os.WriteFile(filepath.Join(dir, "main.c"), []byte(program), 0o600),
		os.WriteFile(filepath.Join(dir, "list"), compress(crateList, 7), 0o600)); err != nil {
		t.Fatal(err)
	}
	for _, args := range [][]string{ // the last one is the library that has the unwinder
		{"-pie", "-fPIE", "-lgcc_s"}, {"-no-pie", "-lgcc_s"}, {"-O2", "-s", "-lgcc_s"}, {"-shared", "-fPIC", "-lgcc_s"},
		{"-Wl,-z,noseparate-code", "-lgcc_s"}, {"-Wl,-z,separate-code", "-lgcc_s"}, {"-static", "-lgcc_eh"}, {"-static-pie", "-fPIE", "-lgcc_eh"},
	} {
		lib := len(args) - 1
		args := slices.Insert(args, lib, "-Wl,--gc-sections,-u,AUDITABLE_VERSION_INFO", "-o", "app", "main.c")
		cmd := exec.CommandContext(t.Context(), gcc, args...)
		cmd.Dir = dir
		if text, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("gcc %v: %v\n%s", args, err, text)
		}
		exe := filepath.Join(dir, "app")
		if !hasSection(t, exe) {
			t.Fatalf("gcc %v: no section %s in the program", args, section)
		}
		facts, err := inspecttest.File(t, New(), "usr/bin/app", exe)
		if err != nil {
			t.Errorf("gcc %v: %v", args, err)
		}
		if diff := cmp.Diff(found, lines(facts)); diff != "" {
			t.Errorf("gcc %v (-want +got):\n%s", args, diff)
		}
	}
}

func hasSection(t *testing.T, exe string) bool {
	t.Helper()
	f, err := elffile.Open(exe)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	return f.Section(section) != nil
}

func FuzzInspector(f *testing.F) {
	list := compress(crateList, 7)
	f.Add(list, 100)
	f.Add(append([]byte("x\x78\x9c"), list...), 4096)
	f.Add(compress(`{"packages":[{}]}`, 1), 64<<10)
	f.Fuzz(func(t *testing.T, part []byte, piece int) {
		content := elf(nil, 0)[:64<<10]
		clear(content[0x200:])
		copy(content[0x200:], part)
		facts, _ := inspecttest.Feed(t, New(), "x", content, min(max(piece, 64), 1<<18))
		for _, p := range facts.Packages {
			if p.Name == "" {
				t.Error("a crate without a name")
			}
		}
	})
}
