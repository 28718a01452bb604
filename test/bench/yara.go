package main

import (
	"bytes"
	"debug/elf"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"

	"bulwark/check/yara"
)

// yaraRules writes rules of the shape that rule sets for Linux have: nine in ten are hex
// strings of code with wildcards and jumps, as many as a rule needs to be believed. The code
// is that of this machine's own programs with one byte changed, so that what leads to
// a string is met as often as in earnest, and the string hardly ever.
func yaraRules(number, file string) error {
	n, err := strconv.Atoi(number)
	if err != nil {
		return err
	}
	code, err := codeOf("/usr/bin", 64)
	if err != nil {
		return err
	}
	r := rand.New(rand.NewPCG(1, 2))
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, "rule r%d {\n  meta:\n    severity = \"high\"\n  strings:\n", i)
		count := 1 + r.IntN(5)
		for k := range count {
			if r.IntN(10) == 0 {
				fmt.Fprintf(&b, "    $a%d = \"%s\"%s\n", k, phrase(r), []string{"", " fullword", " nocase", " ascii wide"}[r.IntN(4)])
				continue
			}
			fmt.Fprintf(&b, "    $a%d = { %s}\n", k, hexString(r, code))
		}
		conditions := []string{"all of them", "all of them", "all of them", "1 of ($a*)", "uint32(0) == 0x464c457f and all of them"}
		if count > 2 {
			conditions = append(conditions, "2 of ($a*)", "2 of ($a*)")
		}
		fmt.Fprintf(&b, "  condition:\n    %s\n}\n", conditions[r.IntN(len(conditions))])
	}
	return os.WriteFile(file, []byte(b.String()), 0o600)
}

// codeOf reads the code of some of a folder's programs.
func codeOf(dir string, most int) ([][]byte, error) {
	files, err := filepath.Glob(filepath.Join(dir, "*"))
	if err != nil {
		return nil, err
	}
	var out [][]byte
	for _, name := range files {
		f, err := elf.Open(name)
		if err != nil {
			continue
		}
		if text := f.Section(".text"); text != nil && text.Size > 64<<10 && len(out) < most {
			if data, err := text.Data(); err == nil {
				out = append(out, data)
			}
		}
		f.Close()
	}
	if len(out) == 0 {
		return nil, fmt.Errorf("no programs in %s", dir)
	}
	return out, nil
}

// hexString is a piece of code: where it calls or jumps is left open, as it changes with
// every build, and now and then a few bytes are skipped.
func hexString(r *rand.Rand, code [][]byte) string {
	data := code[r.IntN(len(code))]
	n := 16 + r.IntN(32)
	at := r.IntN(len(data) - n)
	piece := bytes.Clone(data[at : at+n])
	piece[r.IntN(n)] ^= 1 << r.IntN(8)
	var b strings.Builder
	open := 0
	for i, c := range piece {
		switch {
		case open > 0 && i < n-1:
			b.WriteString("?? ")
			open--
			continue
		case r.IntN(40) == 0 && i > 4 && i < n-4:
			b.WriteString("[2-6] ")
			continue
		case r.IntN(60) == 0:
			fmt.Fprintf(&b, "%X? ", c>>4)
			continue
		}
		fmt.Fprintf(&b, "%02X ", c)
		if (c == 0xe8 || c == 0xe9 || c == 0x8d) && i > 3 && i < n-8 {
			open = 4
		}
	}
	return b.String()
}

func phrase(r *rand.Rand) string {
	words := strings.Fields("miner stratum pool connect socket exec shell payload update config daemon thread proc self maps attack flood bot command install kernel module hook hide root")
	return fmt.Sprintf("%s %s=%%d/%s", words[r.IntN(len(words))], words[r.IntN(len(words))], words[r.IntN(len(words))])
}

// yaraScan loads rules and scans an archive or a folder, and prints how long loading took in
// CPU seconds, then MB a second of one core, MB, and how many findings there are.
func yaraScan(rules, target string) error {
	start := cpuTime()
	set, err := yara.Load(rules)
	if err != nil {
		return err
	}
	if p := set.Problems(); len(p) > 0 {
		return errors.New(p[0].String())
	}
	load := cpuTime() - start
	if target == "" {
		fmt.Println(load.Seconds())
		return nil
	}
	floor, err := floorOf(target)
	if err != nil {
		return err
	}
	found := 0
	all, err := over(target, inspect(yara.New(yara.Options{Rules: set}), &found))
	if err != nil {
		return err
	}
	fmt.Println(load.Seconds(), all.rate(floor), float64(all.bytes)/1e6, found)
	return nil
}

// yara prints how fast rules are looked for, beside Debian's yara when that is on PATH.
func (b *bench) yara(self, archive string) error {
	const programs = "/usr/bin"
	rules, many := filepath.Join(b.dir, "1000.yar"), filepath.Join(b.dir, "10000.yar")
	for n, file := range map[string]string{"1000": rules, "10000": many} {
		if _, err := measure(self, "rules", n, file); err != nil {
			return err
		}
	}
	for _, of := range []struct {
		name, rules, target string
		runs                int
	}{
		{"YARA, 1,000 rules, files of the layers", rules, archive, b.runs},
		{"YARA, 10,000 rules, " + programs, many, programs, 1},
		{"YARA, 1,000 rules, " + programs, rules, programs, b.runs},
	} {
		f, u, err := b.figures(of.runs, self, "yara", of.rules, of.target)
		if err != nil {
			return err
		}
		fmt.Printf("| %s: %.0f MB/s a core over %.0f MB, %.0f findings; rules loaded in %.2f s | %.2f | | %.0f | | |\n", of.name, f[1], f[2], f[3], f[0], f[2]/f[1], rss(u))
		if _, err := exec.LookPath("yara"); err != nil || of.rules != rules || of.target != programs {
			continue
		}
		u, err = measure("yara", "-N", "-p", "1", "-w", of.rules, of.target)
		if err != nil {
			return err
		}
		fmt.Printf("| yara, the same: %.0f MB/s a core | %.2f | %.2f | %.0f | | |\n", f[2]/u.cpu.Seconds(), u.cpu.Seconds(), u.wall.Seconds(), rss(u))
	}
	return nil
}
