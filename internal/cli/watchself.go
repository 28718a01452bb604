package cli

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"bulwark"
	"bulwark/watch"
)

// runFolder is where a program that watches leaves word that it does, until the machine starts again: where the service
// manager says, else where all do.
func runFolder() string { return cmp.Or(os.Getenv("RUNTIME_DIRECTORY"), "/run/bulwark") }

// watchmark is the word of one run: who finds it without its process knows that it was ended without having its say.
type watchmark struct {
	PID   int       `json:"pid"`
	Start string    `json:"start"` // of the process, as /proc has it
	Place string    `json:"place"`
	Began time.Time `json:"began"`
	file  string
}

// mark leaves word. Where that cannot be, an end that nobody sees is not told the next time, and that is all.
func mark(dir string) *watchmark {
	m := &watchmark{PID: os.Getpid(), Start: startOf(os.Getpid()), Place: sameWorld(), Began: time.Now().UTC(), file: filepath.Join(dir, fmt.Sprintf("watch-%d.json", os.Getpid()))}
	b, err := json.Marshal(m)
	if err != nil || os.MkdirAll(dir, 0o755) != nil {
		return nil
	}
	half := m.file + ".new" // whoever is killed leaves the whole word or none
	if os.WriteFile(half, b, 0o600) != nil || os.Rename(half, m.file) != nil {
		_ = os.Remove(half)
		return nil
	}
	return m
}

// beat says that the run goes on.
func (m *watchmark) beat(now time.Time) {
	if m != nil {
		_ = os.Chtimes(m.file, now, now)
	}
}

// end takes the word back.
func (m *watchmark) end() {
	if m != nil {
		_ = os.Remove(m.file)
	}
}

// wasKilled is the rule about them: no detector saw it.
var wasKilled = bulwark.Rule{
	ID: "watch/killed", Title: "The watcher before this one was ended by force", Severity: bulwark.SeverityHigh, Tags: []string{"attack:T1562.001"},
	Reason:         "Each run leaves word that it watches, and takes it back when it ends. One did not: it was killed (SIGKILL, for want of memory, with its container), or the program broke. Nothing was seen until this one began. High.",
	FalsePositives: "A limit of memory that is too low, an administrator's kill -9, and machines that lost power with /run on a disk.",
	Fix:            "See who killed it (it may have been for memory), and what happened in that time.",
	References:     []string{"https://attack.mitre.org/techniques/T1562/001/"},
}

// mostMarks is how many runs are looked at that left word.
const mostMarks = 100

// killed tells of the runs that ended without taking their word back.
func killed(dir string, tell func(bulwark.Finding)) {
	here := sameWorld()
	files, _ := filepath.Glob(filepath.Join(dir, "watch-*.json"))
	for _, file := range files[:min(len(files), mostMarks)] {
		var m watchmark
		st, err := os.Lstat(file)
		if err != nil || !st.Mode().IsRegular() || st.Size() > 4096 {
			continue
		}
		b, err := os.ReadFile(file)
		if err != nil || json.Unmarshal(b, &m) != nil || m.PID <= 0 || m.Place != here || alive(m.PID) && startOf(m.PID) == m.Start {
			continue
		}
		if os.Remove(file) != nil {
			continue // another one tells
		}
		now := time.Now().UTC()
		tell(bulwark.Finding{Rule: wasKilled.ID, Severity: wasKilled.Severity, Title: wasKilled.Title, Subject: "bulwark", Time: now, Tags: wasKilled.Tags, References: wasKilled.References,
			Evidence: []string{fmt.Sprintf("process %d, which watched since %s, was gone without its last words", m.PID, m.Began.Format(time.DateTime)),
				fmt.Sprintf("nothing was seen between %s and %s UTC, unless another one watched", st.ModTime().UTC().Format(time.TimeOnly), now.Format(time.TimeOnly))},
			Fix: &bulwark.Fix{Text: wasKilled.Fix}})
	}
}

// startOf is when a process began, in the words of /proc; "": there is none.
func startOf(pid int) string {
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return ""
	}
	fields := strings.Fields(string(b[strings.LastIndexByte(string(b), ')')+1:]))
	if len(fields) < 20 {
		return ""
	}
	return fields[19]
}

// minds tells what was and is done to this program, until ctx is done.
func minds(ctx context.Context, e *watch.Watcher) {
	killed(runFolder(), e.Tell)
	m := mark(runFolder())
	defer m.end()
	go continued(ctx, e)
	beat := time.NewTicker(time.Second)
	defer beat.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case now := <-beat.C:
			m.beat(now)
		}
	}
}

// sameWorld is where ids of processes mean what they do here: a boot of a machine, and a pid namespace.
func sameWorld() string {
	boot, _ := os.ReadFile("/proc/sys/kernel/random/boot_id")
	ns, _ := os.Readlink("/proc/self/ns/pid")
	return strings.TrimSpace(string(boot)) + " " + ns
}
