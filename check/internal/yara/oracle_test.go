package yara

import (
	"bytes"
	"cmp"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	gocmp "github.com/google/go-cmp/cmp"
)

// result is what a scan tells: for each rule, its strings and their offsets.
type result map[string][]string

// oracle runs Debian's yara, and skips where there is none.
func oracle(t *testing.T, rules, file string, extra ...string) result {
	t.Helper()
	bin, err := exec.LookPath("yara")
	if err != nil {
		if os.Getenv("CI") == "true" {
			t.Fatal("yara is not installed, and CI needs it")
		}
		t.Skip("yara is not installed: nothing to compare with")
	}
	args := append([]string{"-s", "-w"}, extra...)
	cmd := exec.Command(bin, append(args, rules, file)...)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil || stderr.Len() > 0 {
		t.Fatalf("yara on %s: %v %s", file, err, stderr.Bytes())
	}
	return parseOracle(string(out))
}

func parseOracle(out string) result {
	r := result{}
	rule := ""
	for line := range strings.Lines(out) {
		off, rest, ok := strings.Cut(line, ":")
		if n, err := strconv.ParseInt(strings.TrimPrefix(off, "0x"), 16, 64); ok && strings.HasPrefix(off, "0x") && err == nil {
			id, _, _ := strings.Cut(rest, ":")
			r[rule] = append(r[rule], fmt.Sprintf("%s@%d", id, n))
			continue
		}
		rule, _, _ = strings.Cut(line, " ")
		r[rule] = nil
	}
	for k := range r {
		slices.Sort(r[k])
	}
	return r
}

// ours scans a file in pieces of that size.
func ours(rules *Rules, name string, data []byte, piece int) (result, []string) {
	s := rules.NewScanner()
	s.Every = true
	s.Reset(File{Path: name, Size: int64(len(data))})
	for p := range slices.Chunk(data, piece) {
		s.Write(p) // never fails
	}
	found, notes := s.Finish()
	r := result{}
	for _, f := range found {
		r[f.Rule.Name] = nil
		for _, x := range f.Strings {
			for _, m := range x.Matches {
				r[f.Rule.Name] = append(r[f.Rule.Name], fmt.Sprintf("%s@%d", x.ID, m.Offset))
			}
		}
		slices.Sort(r[f.Rule.Name])
	}
	return r, notes
}

// samples are files that the rules of the corpus find something in.
func samples() map[string][]byte {
	lorem := "lorem ipsum dolor sit amet, consectetur adipiscing elit,\nsed do eiusmod tempor. LOREM IPSUM Lorem x-1 X-1 aaaa ababab "
	text := lorem + "word words sword word_ under_score under is this 1.25 2024 1234567 a@b.example https://evil.example/x/y.sh 10.0.0.1 999.1.22.333 tab\there quote\"back\\slash\tx\n /bin/bash a-b b1 c2 abbb abab " +
		strings.Repeat("lorem filler ", 40) + " zz qqqq zzqz amet xyz xxyz yz xxy y -z az end"
	var mixed []byte
	mixed = append(mixed, "\x00\x00\x00\x00\x00\x00\x01\x02\x03"...)
	mixed = append(mixed, widen([]byte("lorem secret word ab LOREM swords s3cret "))...)
	for _, key := range []byte{1, 2, 3, 0x20, 0x2a, 0xff} {
		for _, plain := range [][]byte{[]byte("http://evil.example"), widen([]byte("secret")), []byte("abc lorem")} {
			for _, c := range plain {
				mixed = append(mixed, c^key)
			}
			mixed = append(mixed, 0, key)
		}
	}
	mixed = append(mixed, "VGhpcyBwcm9ncmFtIGNhbm5vdCBydW4= L2Jpbi9iYXNo wvYmluL2Jhc2g iL2Jpbi9iYXNo YgBhAHMAaAA ABhAHMAaA YmFzaA== secret word lorem"...)
	mixed = append(mixed, widen([]byte("L2Jpbi9iYXNo"))...)
	mixed = append(mixed, "MZ\x90\x00 \x80\x90\xff\xfe\x81\xc3 \x55\x48\x89\xe5\x0f\xb6\xc1\x01\x00\x02\x03\x04\x05\x02\x03"...)
	return map[string][]byte{
		"lorem.txt": []byte(text), "mixed.bin": mixed, "empty": nil, "one": []byte("l"),
		"big.bin": bytes.Join([][]byte{[]byte(text), bytes.Repeat(mixed, 300), []byte(text)}, []byte("\x00lorem\x00")),
	}
}

// sampleFiles adds programs of this machine and puts all into a folder.
func sampleFiles(t *testing.T) []string {
	dir := t.TempDir()
	var files []string
	for name, data := range samples() {
		file := filepath.Join(dir, name)
		if err := os.WriteFile(file, data, 0o600); err != nil {
			t.Fatal(err)
		}
		files = append(files, file)
	}
	for _, name := range []string{"/bin/ls", "/usr/bin/id", "/usr/bin/env", "/bin/sh", "/etc/services", "/etc/passwd"} {
		if _, err := os.Stat(name); err == nil {
			files = append(files, name)
		}
	}
	slices.Sort(files)
	return files
}

func TestFeaturesAsLibyara(t *testing.T) {
	if testing.Short() {
		t.Skip("-short: much data, which the race detector takes minutes for; the other pass of make test runs it")
	}
	text, err := os.ReadFile("testdata/features.yar")
	if err != nil {
		t.Fatal(err)
	}
	rules, problems := Compile([]Source{{Name: "features.yar", Text: string(text)}})
	if len(problems) > 0 || rules.Len() < 120 {
		t.Fatalf("%d rules, problems: %v", rules.Len(), problems)
	}
	fired := map[string]bool{}
	for _, file := range sampleFiles(t) {
		data, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		want := oracle(t, "testdata/features.yar", file, "-d", "filename="+filepath.Base(file), "-d", "filepath="+file, "-d", "extension="+cmp.Or(filepath.Ext(file), "none"))
		for rule := range want {
			fired[rule] = true
		}
		for _, piece := range []int{1 << 20, 700} {
			got, notes := ours(rules, file, data, piece)
			if diff := gocmp.Diff(want, got); diff != "" {
				t.Errorf("%s in pieces of %d (-yara +ours):\n%.4000s", file, piece, diff)
			}
			if len(notes) > 0 {
				t.Errorf("%s: %v", file, notes)
			}
		}
	}
	quiet := 0
	for _, r := range rules.All() {
		if !fired[r.Name] && !r.Private {
			quiet++
			t.Logf("rule %s matches no sample", r.Name)
		}
	}
	t.Logf("%d rules, %d of them match no sample", rules.Len(), quiet)
}
