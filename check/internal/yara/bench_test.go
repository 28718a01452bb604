package yara

import (
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// manyRules writes n rules as rule sets for Linux have them: mostly hex strings of code
// with wildcards, and text.
func manyRules(n int) string {
	rnd := rand.New(rand.NewPCG(7, 7))
	var b strings.Builder
	words := strings.Fields("miner stratum pool connect socket exec shell payload update config daemon thread proc self maps attack flood bot command install kernel module hook hide root")
	code := []byte{0x48, 0x89, 0x8b, 0xe8, 0x0f, 0x83, 0xc0, 0x00, 0xff, 0x55, 0x45, 0x74, 0x75, 0xc7, 0x24, 0x85}
	for i := range n {
		fmt.Fprintf(&b, "rule r%d {\n strings:\n", i)
		for j := range 1 + rnd.IntN(4) {
			if rnd.IntN(10) < 6 {
				fmt.Fprintf(&b, "  $a%d = { ", j)
				for k := range 12 + rnd.IntN(30) {
					switch {
					case rnd.IntN(8) == 0 && k > 0:
						b.WriteString("?? ")
					case rnd.IntN(3) == 0:
						fmt.Fprintf(&b, "%02X ", rnd.IntN(256))
					default:
						fmt.Fprintf(&b, "%02X ", code[rnd.IntN(len(code))])
					}
				}
				b.WriteString("C3 }\n")
				continue
			}
			mod := []string{"", " fullword", " nocase", " ascii wide"}[rnd.IntN(4)]
			fmt.Fprintf(&b, "  $a%d = \"%s_%s%%%d%s\"%s\n", j, words[rnd.IntN(len(words))], words[rnd.IntN(len(words))], rnd.IntN(1000), words[rnd.IntN(len(words))], mod)
		}
		cond := []string{"all of them", "any of them", "1 of ($a*)", "uint32(0) == 0x464c457f and any of them"}[rnd.IntN(4)]
		fmt.Fprintf(&b, " condition: %s\n}\n", cond)
	}
	return b.String()
}

// corpus is what the benchmark scans: programs of this machine.
func corpus(b *testing.B, most int) []byte {
	files, _ := filepath.Glob("/usr/bin/*")
	var data []byte
	for _, f := range files {
		if d, err := os.ReadFile(f); err == nil {
			data = append(data, d...)
		}
		if len(data) >= most {
			return data[:most]
		}
	}
	if len(data) == 0 {
		b.Skip("no programs to scan")
	}
	return data
}

func BenchmarkScan(b *testing.B) {
	data := corpus(b, 32<<20)
	for _, n := range []int{100, 1000, 10000} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			rules, problems := Compile([]Source{{Name: "bench", Text: manyRules(n)}})
			if len(problems) > 0 {
				b.Fatal(problems[0])
			}
			s := rules.NewScanner()
			b.SetBytes(int64(len(data)))
			for b.Loop() {
				s.Reset(File{Path: "bench", Size: int64(len(data))})
				for off := 0; off < len(data); off += 256 << 10 {
					s.Write(data[off:min(len(data), off+256<<10)])
				}
				s.Finish()
			}
		})
	}
}

func BenchmarkCompile(b *testing.B) {
	text := manyRules(1000)
	for b.Loop() {
		Compile([]Source{{Name: "bench", Text: text}})
	}
}

// BenchmarkSmallFiles scans files of 4 KB, as most of an image's are.
func BenchmarkSmallFiles(b *testing.B) {
	data := corpus(b, 8<<20)
	rules, _ := Compile([]Source{{Name: "bench", Text: manyRules(1000)}})
	s := rules.NewScanner()
	b.SetBytes(int64(len(data)))
	for b.Loop() {
		for off := 0; off < len(data); off += 4096 {
			s.Reset(File{Path: "bench", Size: 4096})
			s.Write(data[off:min(len(data), off+4096)])
			s.Finish()
		}
	}
}

// BenchmarkExpressions scans with rules that have expressions and functions of the whole file.
func BenchmarkExpressions(b *testing.B) {
	data := corpus(b, 16<<20)
	var text strings.Builder
	text.WriteString("import \"math\"\n")
	for i := range 100 {
		fmt.Fprintf(&text, `rule e%d { strings: $a = /pool%d\.[a-z]{3,10}\.(com|org):[0-9]{2,5}/ $b = /\bexec%d[\t ]{0,500}\([^)]/ nocase wide ascii $c = { 48 8B ?? [2-6] E8 %02X ?? ?? ?? 85 C0 } condition: any of them and math.entropy(0, filesize) > 1 }
`, i, i, i, i)
	}
	rules, problems := Compile([]Source{{Name: "bench", Text: text.String()}})
	if len(problems) > 0 {
		b.Fatal(problems)
	}
	s := rules.NewScanner()
	b.SetBytes(int64(len(data)))
	for b.Loop() {
		s.Reset(File{Path: "bench", Size: int64(len(data))})
		for off := 0; off < len(data); off += 256 << 10 {
			s.Write(data[off:min(len(data), off+256<<10)])
		}
		s.Finish()
	}
}
