package main

import (
	"bytes"
	"fmt"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"bulwark"
	"bulwark/check/malware"
	"bulwark/check/secret"
)

// secrets measures the search for secrets in the files of an archive's layers, and prints
// in MB a second of one core: the literals of all rules alone, and everything; then how many
// MB there are.
func secrets(file string) error {
	inspector := secret.New(secret.Options{})
	set, err := inspector.Prefilter()
	if err != nil {
		return err
	}
	floor, err := floorOf(file)
	if err != nil {
		return err
	}
	filter, err := over(file, func(*bulwark.FileInfo) taker {
		stream := set.NewStream()
		return func(piece []byte) error {
			stream.Scan(piece, func(int, int64) {})
			return nil
		}
	})
	if err != nil {
		return err
	}
	found := 0
	all, err := over(file, inspect(inspector, &found))
	if err != nil {
		return err
	}
	fmt.Println(filter.rate(floor), all.rate(floor), float64(floor.bytes)/1e6)
	return nil
}

// longest is the one line of the job line: 10 GB.
const longest = 10 << 30

// line gives one line of 10 GB, which nothing ever writes down, to the inspectors.
func line() error {
	text := bytes.Repeat([]byte("set level=7;token = none; path:/srv/app/x "), 256<<10/42)
	info := &bulwark.FileInfo{Size: longest}
	info.SetPath("srv/dump.json")
	found := 0
	for _, in := range []bulwark.Inspector{secret.New(secret.Options{}), malware.New()} {
		take := inspect(in, &found)(info)
		for sent := 0; sent < longest && take != nil; sent += len(text) {
			if err := take(text); err != nil {
				return err
			}
		}
		if take != nil {
			if err := take(nil); err != nil {
				return err
			}
		}
	}
	return nil
}

// figures runs a job in processes of its own, and gives the medians of the numbers that it
// prints and of what it used.
func (b *bench) figures(n int, args ...string) ([]float64, usage, error) {
	var lists [][]float64
	var runs []usage
	for range n {
		var out bytes.Buffer
		u, err := measureTo(&out, args...)
		if err != nil {
			return nil, usage{}, err
		}
		runs = append(runs, u)
		for i := 0; ; i++ {
			var x float64
			if _, err := fmt.Fscan(&out, &x); err != nil {
				break
			}
			if i == len(lists) {
				lists = append(lists, nil)
			}
			lists[i] = append(lists[i], x)
		}
	}
	medians := make([]float64, len(lists))
	for i, list := range lists {
		slices.Sort(list)
		medians[i] = list[len(list)/2]
	}
	return medians, runs[len(runs)/2], nil
}

// secrets prints how fast they are looked for, and what a line of 10 GB takes.
func (b *bench) secrets(self, archive string) error {
	f, u, err := b.figures(b.runs, self, "secrets", archive)
	if err != nil {
		return err
	}
	fmt.Printf("| secrets, literals of all rules alone (prefilter), over %.0f MB of files: %.0f MB/s a core | %.2f | | | | |\n", f[2], f[0], f[2]/f[0])
	fmt.Printf("| secrets end to end, the same: %.0f MB/s a core | %.2f | | %.0f | | |\n", f[1], f[2]/f[1], rss(u))
	_, u, err = b.figures(1, self, "line")
	if err != nil {
		return err
	}
	row("secrets, then malware, in one line of 10 GB", []usage{u}, nil)
	return nil
}

// accuracy prints how right the search for secrets is: on the labelled corpus of tokens and on
// repositories as people leave them, which tests fill in as they run.
func accuracy() error {
	out, err := exec.Command("go", "test", "-count=1", "-v", "-run", "^(TestCorpus|TestLeaky)$", "./check/secret").CombinedOutput()
	if err != nil {
		return fmt.Errorf("the labelled corpus: %w\n%s", err, out)
	}
	for _, name := range []string{"secrets", "leaky service", "leaky machine"} {
		sum := regexp.MustCompile(`(?m)^` + name + `: (.*)$`).FindSubmatch(out)
		if sum == nil {
			return fmt.Errorf("the labelled corpus tells nothing of %s: %s", name, out)
		}
		fmt.Printf("| %s, labelled: %s | | | | | |\n", name, sum[1])
	}
	return nil
}

// peersOfSecrets prints what those tools take that are on PATH: trivy's secrets on the
// archive, and gitleaks beside bulwark on Go's own source, which every machine that builds has.
func (b *bench) peersOfSecrets(archive, db string) error {
	if _, err := exec.LookPath("trivy"); err == nil {
		u, err := measure("trivy", "image", "--input", archive, "--scanners", "secret", "--offline-scan", "--cache-backend", "memory", "--format", "json")
		if err != nil {
			return err
		}
		row("trivy, secrets alone, plain archive", []usage{u}, nil)
	}
	root, err := exec.Command("go", "env", "GOROOT").Output()
	if err != nil {
		return err
	}
	source := filepath.Join(strings.TrimSpace(string(root)), "src")
	runs, err := contest(b.runs, b.fresh("dir:"+source, db, "--only", "secret"))
	if err != nil {
		return err
	}
	row("secrets alone, Go's source", runs[0], nil)
	if _, err := exec.LookPath("gitleaks"); err != nil {
		return nil
	}
	u, err := measure("gitleaks", "dir", source, "--no-banner", "--exit-code", "0")
	if err != nil {
		return err
	}
	row("gitleaks, Go's source", []usage{u}, runs[0])
	return nil
}
