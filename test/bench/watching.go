package main

import (
	"bufio"
	"cmp"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// calls makes system calls in short batches and prints what one takes, in nanoseconds: the twentieth of the batches
// that took least, since other processes only ever make them longer.
func calls(kind string) error {
	one, each, err := caller(kind)
	if err != nil {
		return err
	}
	batches := make([]float64, 4000)
	for i := range batches {
		start := time.Now()
		for range each {
			one()
		}
		batches[i] = float64(time.Since(start).Nanoseconds()) / float64(each)
	}
	slices.Sort(batches)
	fmt.Println(batches[len(batches)/20])
	return nil
}

// caller gives a call of a kind, and how many make a batch.
func caller(kind string) (one func(), each int, err error) {
	open := func(name string) func() {
		return func() {
			if fd, err := syscall.Open(name, syscall.O_RDONLY, 0); err == nil {
				syscall.Close(fd)
			}
		}
	}
	switch kind {
	case "getppid":
		return func() { syscall.Getppid() }, 200, nil
	case "open": // of a file that no rule is about, and nobody else opens
		name := filepath.Join(os.TempDir(), "bulwark-bench-open")
		if err := os.WriteFile(name, nil, 0o600); err != nil {
			return nil, 0, err
		}
		return open(name), 20, nil
	case "sensitive": // of one that rules are about
		return open("/etc/shadow"), 20, nil
	}
	return nil, 0, fmt.Errorf("no such call: %q", kind)
}

// watching measures what a watched machine loses: the same load with the program watching and without, in
// turn, and what the program itself takes. It needs root.
func watching(program, rules, runs string) error {
	if program == "" || rules == "" {
		return fmt.Errorf("usage: bench watching BULWARK RULES [RUNS]")
	}
	n, err := strconv.Atoi(cmp.Or(runs, "15"))
	if err != nil {
		return err
	}
	self, err := os.Executable()
	if err != nil {
		return err
	}
	before, err := others()
	if err != nil {
		return err
	}
	for _, kind := range []struct{ name, least string }{{"getppid", "sys_exit_mount"}, {"open", "sys_exit_openat"}, {"sensitive", "sys_exit_openat"}} {
		l := load{kind.name, "ns", func() (float64, error) { return number(self, "calls", kind.name) }, kind.least, before}
		if err := l.watched(program, rules, n); err != nil {
			return err
		}
	}
	scratch, err := os.MkdirTemp("", "bulwark-watching")
	if err != nil {
		return err
	}
	defer os.RemoveAll(scratch)
	build := load{"go build", "s", func() (float64, error) { return compile(scratch) }, "", before}
	if err := build.watched(program, rules, n); err != nil {
		return err
	}
	nginx, err := serve(scratch)
	if err != nil {
		return err
	}
	defer nginx.end()
	serving := load{"nginx", "us", nginx.request, "sys_exit_openat", before}
	if err := serving.watched(program, rules, n); err != nil {
		return err
	}
	return idle(program, rules)
}

// watching is all that is measured of the watch, where it can be done: each job in a process of its own, as it prints it.
func (b *bench) watching(self string) error {
	rules := filepath.Join(b.data, "falco", "falco_rules.yaml")
	if _, err := os.Stat(rules); err != nil || os.Getuid() != 0 {
		fmt.Println("| watching: needs root and Falco's rules in falco/falco_rules.yaml of the data | | | | | |")
		return nil
	}
	for _, job := range [][]string{{"watching", b.bulwark, rules}, {"ruling", rules}, {"crowd", b.bulwark, rules}} {
		out, err := exec.Command(self, job...).CombinedOutput()
		if err != nil {
			return fmt.Errorf("%s: %w\n%s", job[0], err, out)
		}
		for line := range strings.Lines(string(out)) {
			fmt.Printf("| %s | | | | | |\n", strings.TrimSpace(line))
		}
	}
	return nil
}

// number runs a job of this program and reads the figure that it prints.
func number(self string, args ...string) (float64, error) {
	out, err := exec.Command(self, args...).Output()
	if err != nil {
		return 0, err
	}
	return strconv.ParseFloat(strings.TrimSpace(string(out)), 64)
}

// compile builds a small module from nothing, some 200 processes, and gives the seconds.
func compile(scratch string) (float64, error) {
	source := filepath.Join(scratch, "main.go")
	if err := os.WriteFile(source, []byte("package main\n\nimport \"os\"\n\nfunc main() { os.Exit(0) }\n"), 0o600); err != nil {
		return 0, err
	}
	cache := filepath.Join(scratch, "cache")
	if err := os.RemoveAll(cache); err != nil {
		return 0, err
	}
	cmd := exec.Command("go", "build", "-o", filepath.Join(scratch, "small"), source)
	cmd.Env = append(os.Environ(), "GOCACHE="+cache, "GOFLAGS=-mod=mod", "GO111MODULE=off")
	start := time.Now()
	if out, err := cmd.CombinedOutput(); err != nil {
		return 0, fmt.Errorf("go build: %w\n%s", err, out)
	}
	return time.Since(start).Seconds(), nil
}

// load is something that is done with and without a watch.
type load struct {
	name, unit string
	measure    func() (float64, error)
	least      string // the tracepoint of a call at which an empty program is measured as well: what the kernel itself takes; "": none
	before     int    // programs that were in the kernel before any watch
}

// watched measures a load n times with and n times without, in turn, and prints the medians, their difference
// and the median ratio of the pairs.
func (l *load) watched(program, rules string, n int) error {
	var with, without, ratios, least []float64
	for range n {
		if err := gone(l.before); err != nil {
			return err
		}
		plain, err := l.measure()
		if err != nil {
			return err
		}
		if l.least != "" {
			empty, err := withEmpty(l.least, l.measure)
			if err != nil {
				return err
			}
			least = append(least, empty/plain)
			if err := gone(l.before); err != nil {
				return err
			}
		}
		w, err := begin(program, rules)
		if err != nil {
			return err
		}
		seen, err := l.measure()
		if _, end := w.end(); err != nil || end != nil {
			return errors.Join(err, end)
		}
		with, without, ratios = append(with, seen), append(without, plain), append(ratios, seen/plain)
	}
	slices.Sort(with)
	slices.Sort(without)
	slices.Sort(ratios)
	fmt.Printf("%-10s %8.4g %s without, %8.4g watched, %+.4g, ratio %.3f", l.name, without[n/2], l.unit, with[n/2], with[n/2]-without[n/2], ratios[n/2])
	if slices.Sort(least); len(least) > 0 {
		fmt.Printf(", with an empty program %.3f", least[n/2])
	}
	fmt.Println()
	return nil
}

// others counts the programs that are not of a watch: those of one that just ended the kernel has for some seconds more.
func others() (int, error) {
	n, err := programs()
	for until := time.Now().Add(8 * time.Second); err == nil && time.Now().Before(until); {
		time.Sleep(time.Second)
		var now int
		if now, err = programs(); now < n {
			n = now
		}
	}
	return n, err
}

// gone waits until the kernel has let go of the programs of a watch that ended, which it does some seconds later: until there are
// no more than there were.
func gone(before int) error {
	for range 300 {
		now, err := programs()
		if err != nil || now <= before {
			return err
		}
		time.Sleep(100 * time.Millisecond)
	}
	return errors.New("the kernel still has programs of a watch that ended: it cannot be measured what one costs")
}

// watcher is a running program that watches.
type watcher struct {
	cmd   *exec.Cmd
	ready time.Duration // from its start
}

// begin starts the program and waits until it watches.
func begin(program, rules string) (*watcher, error) {
	cmd := exec.Command(program, "watch", "--rules", rules, "-o", "/dev/null")
	errs, err := cmd.StderrPipe()
	if err != nil {
		return nil, err
	}
	start := time.Now()
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	lines := bufio.NewScanner(errs)
	var said []string
	for lines.Scan() {
		if strings.Contains(lines.Text(), "watching since") {
			w := &watcher{cmd, time.Since(start)}
			go io.Copy(io.Discard, errs)
			return w, nil
		}
		said = append(said, lines.Text())
	}
	return nil, fmt.Errorf("%s watch ended: %v\n%s", program, cmd.Wait(), strings.Join(said, "\n"))
}

// end stops it and gives what it took.
func (w *watcher) end() (usage, error) {
	if err := w.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		return usage{}, err
	}
	if err := w.cmd.Wait(); err != nil {
		return usage{}, err
	}
	s := w.cmd.ProcessState
	u := usage{cpu: s.UserTime() + s.SystemTime()}
	if ru, ok := s.SysUsage().(*syscall.Rusage); ok {
		u.rss = ru.Maxrss * 1024
	}
	return u, nil
}

// idle measures the program on a machine that does nothing else, once it has been ready for some seconds: by what the scheduler
// counted of each thread.
func idle(program, rules string) error {
	const settled, whole = 3 * time.Second, 20 * time.Second
	w, err := begin(program, rules)
	if err != nil {
		return err
	}
	time.Sleep(settled)
	before, errBefore := ran(w.cmd.Process.Pid)
	time.Sleep(whole)
	after, errAfter := ran(w.cmd.Process.Pid)
	u, err := w.end()
	if err := errors.Join(errBefore, errAfter, err); err != nil {
		return err
	}
	fmt.Printf("idle       %.2f %% of a processor, %.0f MB, ready after %d ms\n", 100*(after-before).Seconds()/whole.Seconds(), rss(u), w.ready.Milliseconds())
	return nil
}

// ran is for how long the threads of a process ran.
func ran(pid int) (time.Duration, error) {
	threads, err := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/schedstat", pid))
	if err != nil {
		return 0, err
	}
	var all time.Duration
	for _, name := range threads {
		var ns time.Duration
		text, err := os.ReadFile(name)
		if err == nil {
			_, err = fmt.Sscan(string(text), &ns)
		}
		if err != nil {
			return 0, fmt.Errorf("how long the watch ran: %w", err)
		}
		all += ns
	}
	return all, nil
}
