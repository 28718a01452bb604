package main

import (
	"bytes"
	"cmp"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"sync"
	"syscall"
	"time"
)

// usage is what one process took.
type usage struct {
	wall, cpu time.Duration
	rss       int64 // bytes at most
}

// measure runs a command to its end. What it prints is read by nobody.
func measure(args ...string) (usage, error) { return measureTo(nil, args...) }

// measureTo is measure with a reader of what the command prints.
func measureTo(out *bytes.Buffer, args ...string) (usage, error) {
	c := exec.Command(args[0], args[1:]...)
	var errs bytes.Buffer
	c.Stderr = &errs
	if out != nil {
		c.Stdout = out
	}
	start := time.Now()
	if err := c.Run(); err != nil {
		return usage{}, fmt.Errorf("%q: %w\n%s", args, err, errs.String())
	}
	u := usage{wall: time.Since(start), cpu: c.ProcessState.UserTime() + c.ProcessState.SystemTime()}
	if ru, ok := c.ProcessState.SysUsage().(*syscall.Rusage); ok {
		u.rss = ru.Maxrss * 1024
	}
	return u, nil
}

// contest runs several commands in turn, A B C A B C, and gives the runs of each.
func contest(n int, commands ...func() []string) ([][]usage, error) {
	runs := make([][]usage, len(commands))
	for range n {
		for i, command := range commands {
			u, err := measure(command()...)
			if err != nil {
				return nil, err
			}
			runs[i] = append(runs[i], u)
		}
	}
	return runs, nil
}

// median of a figure of the runs.
func median[T cmp.Ordered](runs []usage, of func(usage) T) T {
	list := make([]T, len(runs))
	for i, u := range runs {
		list[i] = of(u)
	}
	slices.Sort(list)
	return list[len(list)/2]
}

func cpu(u usage) float64  { return u.cpu.Seconds() }
func wall(u usage) float64 { return u.wall.Seconds() }
func rss(u usage) float64  { return float64(u.rss) / 1e6 }

// ratio is the median of the pairwise ratios of two commands that ran in turn.
func ratio(a, b []usage, of func(usage) float64) float64 {
	list := make([]float64, len(a))
	for i := range a {
		list[i] = of(a[i]) / of(b[i])
	}
	slices.Sort(list)
	return list[len(list)/2]
}

type bench struct {
	images, data, bulwark string
	runs                  int
	dir                   string // for databases and caches
	caches                int
}

func (b *bench) run() error {
	self, err := os.Executable()
	if err != nil {
		return err
	}
	if b.dir, err = os.MkdirTemp("", "bulwark-bench-"); err != nil {
		return err
	}
	defer os.RemoveAll(b.dir)
	oci, plain, db := filepath.Join(b.images, "big.oci"), filepath.Join(b.images, "big.tar"), filepath.Join(b.dir, "a.db")
	fmt.Println("| work | CPU s | wall s | RSS MB | CPU / floor | wall / floor |\n|---|---|---|---|---|---|")
	for _, step := range []func() error{
		func() error { return b.build(db) },
		func() error {
			return b.cold("cold, OCI layout (gzip)", []string{self, "floor", oci}, oci, db, packages...)
		},
		func() error {
			return b.cold("cold, plain archive", []string{self, "plain", plain}, plain, db, packages...)
		},
		func() error { return b.inside(plain, oci, db) },
		func() error { return b.secrets(self, plain) },
		accuracy,
		func() error { return b.peersOfSecrets(plain, db) },
		func() error { return b.yara(self, plain) },
		func() error { return b.warm("warm, every layer cached", oci, db, packages...) },
		func() error { return b.posture(self) },
		func() error { return b.network(self) },
		func() error { return b.attack(self) },
		func() error { return b.judge(self) },
		func() error { return b.warm("warm, everything", oci, db) },
		func() error { return b.watching(self) },
		func() error { return b.detection(self) },
		func() error { return b.matching(self, db) },
		func() error { return b.matchingBig(self, oci, db) },
	} {
		if err := step(); err != nil {
			return err
		}
	}
	return nil
}

func row(name string, runs []usage, floor []usage) {
	fmt.Printf("| %s | %.3f | %.3f | %.0f |", name, median(runs, cpu), median(runs, wall), median(runs, rss))
	if floor == nil {
		fmt.Println(" | |")
		return
	}
	fmt.Printf(" %.2f | %.2f |\n", ratio(runs, floor, cpu), ratio(runs, floor, wall))
}

// build makes the database that the others use.
func (b *bench) build(db string) error {
	epss, err := filepath.Glob(filepath.Join(b.data, "epss*.csv.gz"))
	if err != nil || len(epss) == 0 {
		return fmt.Errorf("no epss*.csv.gz in %s: %w", b.data, err)
	}
	runs, err := contest(3, func() []string {
		return []string{b.bulwark, "db", "build", "--osv", filepath.Join(b.data, "osv"), "--kev", filepath.Join(b.data, "kev.json"),
			"--epss", epss[0], "--eol", filepath.Join(b.data, "eol.json"), "-o", db}
	})
	if err != nil {
		return err
	}
	st, err := os.Stat(db)
	if err != nil {
		return err
	}
	row(fmt.Sprintf("build the database (file: %.1f MB)", float64(st.Size())/1e6), runs[0], nil)
	return nil
}

// packages chooses what other scanners' SBOM and vulnerabilities are compared with.
var packages = []string{"--only", "vulnerability,eol,outdated"}

func (b *bench) scan(target, cache, db string, flags ...string) []string {
	return append([]string{b.bulwark, "scan", target, "--db", db, "--cache-dir", cache, "--offline", "-f", "json"}, flags...)
}

// cold scans with an empty cache each time, in turn with the floor and the peers.
func (b *bench) cold(name string, floor []string, target, db string, flags ...string) error {
	ours := b.fresh(target, db, flags...)
	commands := []func() []string{func() []string { return floor }, ours}
	names := []string{"floor: " + name, "bulwark " + name}
	for _, p := range b.peers(target) {
		names, commands = append(names, p[0]+" "+name), append(commands, func() []string { return p })
	}
	runs, err := contest(b.runs, commands...)
	if err != nil {
		return err
	}
	for i := range runs {
		row(names[i], runs[i], runs[0])
	}
	return nil
}

// fresh scans with an empty cache each time.
func (b *bench) fresh(target, db string, flags ...string) func() []string {
	return func() []string {
		b.caches++
		return b.scan(target, filepath.Join(b.dir, fmt.Sprint("cache", b.caches)), db, flags...)
	}
}

// inside scans for packages alone and for everything, and tells what everything costs more.
func (b *bench) inside(target, oci, db string) error {
	runs, err := contest(b.runs, b.fresh(target, db, packages...), b.fresh(target, db))
	if err != nil {
		return err
	}
	row("packages alone, plain archive", runs[0], nil)
	row("everything: with secrets, malware, configuration", runs[1], nil)
	var more []float64
	for i := range runs[0] {
		more = append(more, cpu(runs[1][i])-cpu(runs[0][i]))
	}
	slices.Sort(more)
	fmt.Printf("| everything costs more | %.2f | | | | |\n", more[len(more)/2])
	if runs, err = contest(1, b.fresh(oci, db)); err != nil {
		return err
	}
	row("everything, OCI layout (gzip)", runs[0], nil)
	return nil
}

// peers are the commands of the scanners that are on PATH: SBOM alone.
func (b *bench) peers(target string) [][]string {
	var list [][]string
	if _, err := exec.LookPath("trivy"); err == nil {
		list = append(list, []string{"trivy", "image", "--input", target, "--format", "cyclonedx", "--offline-scan", "--skip-db-update", "--skip-java-db-update", "--cache-backend", "memory"})
	}
	if _, err := exec.LookPath("syft"); err == nil {
		list = append(list, []string{"syft", "scan", target, "-o", "cyclonedx-json"})
	}
	return list
}

// warm scans with every layer cached, alone and eight at once.
func (b *bench) warm(name, target, db string, flags ...string) error {
	command := func() []string { return b.scan(target, filepath.Join(b.dir, "warm"), db, flags...) }
	if _, err := contest(2, command); err != nil {
		return err
	}
	runs, err := contest(4*b.runs, command)
	if err != nil {
		return err
	}
	row(name, runs[0], nil)
	var at []usage
	for range b.runs {
		eight := make([]usage, 8)
		errs := make([]error, 8)
		var wg sync.WaitGroup
		for i := range eight {
			wg.Go(func() { eight[i], errs[i] = measure(command()...) })
		}
		wg.Wait()
		for _, err := range errs {
			if err != nil {
				return err
			}
		}
		at = append(at, eight...)
	}
	row(name+", eight processes at once: each", at, nil)
	slowest := slices.MaxFunc(at, func(a, b usage) int { return cmp.Compare(a.wall, b.wall) })
	fmt.Printf("| the slowest of them | | %.2f | | | |\n", slowest.wall.Seconds())
	return nil
}
