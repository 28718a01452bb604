package main

import (
	"bufio"
	"bytes"
	"encoding/json"
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

	"bulwark"
)

// harm is an attack and the rule that tells of it.
type harm struct {
	rule  string
	ready func() error // what comes before it and is none
	do    func() error
}

// detectors is in how many containers all deeds are done.
const detectors = 20

// attacked is when an attack was begun, by container and rule.
type attacked map[[2]string]time.Time

// detecting measures how long it takes from the call that is an attack to the line that tells of it: each attack in each of
// twenty containers of runc. It needs root and runc.
func detecting(program string) error {
	if program == "" {
		return fmt.Errorf("usage: bench detecting BULWARK")
	}
	dir, err := os.MkdirTemp("", "bulwark-detecting")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	if err := attackers(dir); err != nil {
		return err
	}
	w, err := follow(program)
	if err != nil {
		return err
	}
	done := attacked{}
	failed := func(err error) error { return errors.Join(err, w.end()) }
	for i := range detectors {
		name := fmt.Sprintf("bench-%d-%d", os.Getpid(), i)
		out, err := exec.Command("runc", "run", "-b", dir, name).CombinedOutput()
		if err != nil {
			return failed(fmt.Errorf("runc: %w\n%s", err, out))
		}
		if err := done.take(name, out); err != nil {
			return failed(err)
		}
	}
	time.Sleep(time.Second)
	if err := w.end(); err != nil {
		return err
	}
	return done.print(w)
}

// detection is detecting where it can be done.
func (b *bench) detection(self string) error {
	if _, err := exec.LookPath("runc"); err != nil || os.Getuid() != 0 {
		fmt.Println("| time to detection: needs root and runc | | | | | |")
		return nil
	}
	out, err := exec.Command(self, "detecting", b.bulwark).CombinedOutput()
	if err != nil {
		return fmt.Errorf("detecting: %w\n%s", err, out)
	}
	fmt.Printf("| %s | | | | | |\n", strings.TrimSpace(string(out)))
	return nil
}

// take reads what the job "harms" printed.
func (a attacked) take(name string, out []byte) error {
	for line := range strings.Lines(string(out)) {
		rule, at, ok := strings.Cut(strings.TrimSpace(line), " ")
		ns, err := strconv.ParseInt(at, 10, 64)
		if !ok || err != nil {
			return fmt.Errorf("%s: %q", name, line)
		}
		a[[2]string{name, rule}] = time.Unix(0, ns)
	}
	return nil
}

func (a attacked) print(w *follower) error {
	var late []time.Duration
	missed := map[string]int{}
	for key, began := range a {
		if told, ok := w.at[key]; ok {
			late = append(late, told.Sub(began))
		} else {
			missed[key[1]]++
		}
	}
	if len(late) == 0 {
		return fmt.Errorf("none of %d attacks was told", len(a))
	}
	slices.Sort(late)
	ms := func(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }
	fmt.Printf("detection  %d of %d attacks told, median %.1f ms, p99 %.1f ms, the slowest %.1f ms from the call to the line\n",
		len(late), len(a), ms(late[len(late)/2]), ms(late[len(late)*99/100]), ms(late[len(late)-1]))
	if len(missed) > 0 {
		return fmt.Errorf("not told: %v", missed)
	}
	return nil
}

// follower is a watcher whose lines are read with the time at which they came.
type follower struct {
	watcher
	at   map[[2]string]time.Time // by container and rule
	told chan struct{}           // closed when all is read
}

func follow(program string) (*follower, error) {
	w := &follower{watcher: watcher{cmd: exec.Command(program, "watch", "-f", "jsonl")}, at: map[[2]string]time.Time{}, told: make(chan struct{})}
	out, err := w.cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	errs, err := w.cmd.StderrPipe()
	if err != nil {
		return nil, err
	}
	if err := w.cmd.Start(); err != nil {
		return nil, err
	}
	go w.read(out)
	var said bytes.Buffer
	for lines := bufio.NewScanner(io.TeeReader(errs, &said)); lines.Scan(); {
		if strings.Contains(lines.Text(), "watching since") {
			go io.Copy(io.Discard, errs)
			return w, nil
		}
	}
	return nil, fmt.Errorf("%s watch ended: %v\n%s", program, w.cmd.Wait(), said.String())
}

func (w *follower) read(from io.Reader) {
	defer close(w.told)
	lines := bufio.NewScanner(from)
	lines.Buffer(nil, 16<<20)
	for lines.Scan() {
		now := time.Now()
		var r bulwark.Record
		if json.Unmarshal(lines.Bytes(), &r) != nil || r.Finding == nil || r.Finding.Container == nil {
			continue
		}
		if key := [2]string{r.Finding.Container.ID, r.Finding.Rule}; w.at[key].IsZero() {
			w.at[key] = now
		}
	}
}

// end stops it when all of its lines were read, since waiting closes their pipe.
func (w *follower) end() error {
	if err := w.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		return err
	}
	<-w.told
	return w.cmd.Wait()
}

// harms does all of them, and prints when each was begun.
func harms() error {
	for _, d := range allHarms() {
		if d.ready != nil {
			if err := d.ready(); err != nil {
				return fmt.Errorf("%s: %w", d.rule, err)
			}
		}
		began := time.Now().UnixNano()
		if err := d.do(); err != nil {
			return fmt.Errorf("%s: %w", d.rule, err)
		}
		fmt.Println(d.rule, began)
		time.Sleep(10 * time.Millisecond)
	}
	return nil
}

// attackers makes the bundle that all containers are made of: this program and a few files.
func attackers(dir string) error {
	root := filepath.Join(dir, "rootfs")
	for _, d := range []string{"proc", "dev", "tmp", "etc/cron.d", "var/log", "root/.ssh", "usr/bin"} {
		if err := os.MkdirAll(filepath.Join(root, d), 0o755); err != nil {
			return err
		}
	}
	self, err := os.ReadFile("/proc/self/exe")
	if err != nil {
		return err
	}
	for name, data := range map[string][]byte{"usr/bin/bench": self, "etc/shadow": []byte("root:*:1:::::\n"), "etc/passwd": []byte("root:x:0:0::/:/bin/sh\n")} {
		if err := os.WriteFile(filepath.Join(root, name), data, 0o755); err != nil {
			return err
		}
	}
	config, err := json.Marshal(bundle())
	if err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(dir, "config.json"), config, 0o600)
}

// bundle is the configuration of the containers.
func bundle() any {
	type m = map[string]any
	caps := []string{"CAP_MKNOD", "CAP_NET_RAW", "CAP_NET_ADMIN", "CAP_CHOWN", "CAP_FOWNER", "CAP_DAC_OVERRIDE"}
	return m{
		"ociVersion": "1.0.2", "root": m{"path": "rootfs"}, "hostname": "bench",
		"process": m{"user": m{"uid": 0, "gid": 0}, "args": []string{"/usr/bin/bench", "harms"}, "cwd": "/", "env": []string{"PATH=/usr/bin"},
			"capabilities": m{"bounding": caps, "effective": caps, "permitted": caps}},
		"mounts": []m{
			{"destination": "/proc", "type": "proc", "source": "proc"}, {"destination": "/tmp", "type": "tmpfs", "source": "tmpfs", "options": []string{"mode=1777"}},
		},
		"linux": m{"namespaces": []m{{"type": "pid"}, {"type": "mount"}, {"type": "ipc"}, {"type": "uts"}, {"type": "network"}}},
	}
}
