// Package detections holds the list of runtime detections: each of its rows has rules, and each rule a test that does it.
package detections

import (
	"bufio"
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"

	"bulwark"
	"bulwark/all"
	"bulwark/detect/profile"
	"bulwark/test/runtime/lab"
)

// row is one of the list: which rules find it, and which actions really do it in containers. Every rule has in its
// family's tests a scene that must be told and a benign twin that must not (detecttest holds that); why says why
// a row has no more than that.
type row struct {
	rules, actions string
	why            string
}

var rows = map[int]row{
	1:  {"escape/device-mounted escape/device-made escape/disk-opened", "mount-disk make-disk", ""},
	2:  {"escape/core-pattern", "core-pattern", ""},
	3:  {"escape/release-agent", "release-agent", ""},
	4:  {"escape/uevent-helper", "", "the kernel here has no uevent_helper (CONFIG_UEVENT_HELPER=n), nor have those of distributions"},
	5:  {"escape/binfmt escape/modprobe-path escape/kernel-setting", "kernel-panic", ""},
	6:  {"escape/cgroup-devices", "devices-allow", ""},
	7:  {"escape/runtime-overwrite", "runtime-binary", ""},
	8:  {"escape/cwd-outside", "outside-folder", ""},
	9:  {"escape/host-namespace", "enter-node", ""},
	10: {"escape/user-namespace", "user-namespace", ""},
	11: {"escape/ptrace", "ptrace-node", ""},
	12: {"escape/process-memory", "process-vm-writev write-memory", ""},
	13: {"escape/open-by-handle", "shocker", ""},
	14: {"escape/kernel-module", "module", ""},
	15: {"escape/bpf-program", "bpf", ""},
	16: {"escape/kernel-surface", "perf-event userfaultfd", ""},
	17: {"escape/node-control", "swap", ""},
	18: {"escape/runtime-socket", "engine-socket", ""},
	19: {"network/node-service network/api-server", "kubelet", ""},
	20: {"access/service-account-token", "service-account", ""},
	21: {"network/metadata", "metadata", ""},
	22: {"escape/outside-root", "proc-root", ""},
	23: {"escape/log-link", "log-link", ""},
	24: {"drift/new-program", "drift", ""},
	25: {"drift/memory-program drift/deleted-program", "memory-program deleted-program", ""},
	26: {"drift/temporary-program", "temporary-program", ""},
	27: {"drift/loader-bypass drift/new-library", "load-library", ""},
	28: {"drift/preload", "preload-file preload-variable", ""},
	29: {"drift/written-code", "write-execute", ""},
	30: {"shell/reverse-shell", "reverse-shell", ""},
	31: {"shell/server-shell", "shell-of-server", ""},
	32: {"shell/terminal kubernetes/exec", "terminal", ""},
	33: {"shell/package-manager shell/attack-tool shell/download-run", "package-manager", ""},
	34: {"miner/stratum", "stratum", ""},
	35: {"miner/pool-name", "pool-name", ""},
	36: {"miner/score miner/pool-name", "pool-hello", "flows count from ten minutes on: a scene has them"},
	37: {"miner/score", "rounding", ""},
	38: {"miner/score usage/anomaly", "", "ten minutes of work, and an hour before it, are played as a scene"},
	39: {"miner/hardware miner/score", "huge-pages", "the kernel here has no /dev/cpu/N/msr"},
	40: {"miner/command", "miner-arguments", ""},
	41: {"miner/score persist/cron", "rivals", ""},
	42: {"persist/cron persist/systemd persist/boot-script persist/login-script persist/authorized-keys persist/sudoers persist/account persist/login-module access/shadow", "cron cron-of-node authorized-keys read-shadow", ""},
	43: {"persist/set-uid drift/made-executable abuse/hidden-change", "set-uid made-executable", ""},
	44: {"abuse/trace-removal abuse/hidden-change abuse/wipe", "history clear-log history-by-descriptor", ""},
	45: {"abuse/mass-encryption", "mass-rename", ""},
	46: {"network/scan", "scan", ""},
	47: {"profile/destination network/egress-volume", "", "deviation from a profile is tried with the profiles (detect/profile)"},
	48: {"network/dns-tunnel network/egress-volume network/dns-failures", "dns-tunnel", "a gigabyte of traffic is played as a scene"},
	49: {"abuse/fork-bomb abuse/out-of-memory abuse/descriptors-exhausted usage/memory-short usage/processes-refused usage/connection-flood", "fork-bomb descriptors", ""},
	50: {"escape/io-uring", "io-uring", ""},
	51: {"network/raw-socket", "packet-socket", ""},
	52: {"kubernetes/node-pod kubernetes/exec kubernetes/ephemeral-container", "", "there is no API server here: lines of its audit log are played"},
	53: {"escape/pipe-page", "splice-byte", ""},
	54: {"escape/privilege-gain", "", "it takes a hole in the kernel: what it leaves is played as a scene"},
	55: {"abuse/sensor-signal abuse/sensor-paused abuse/events-lost escape/bpf-tamper", "", "TestStopped stops the real program"},
}

// TestRows: each row of the list has rules that there are, and tests that there are, or says why not.
func TestRows(t *testing.T) {
	rules := map[string]bool{}
	for _, p := range all.Plugins() {
		if r, ok := p.(bulwark.Ruler); ok {
			for _, one := range r.Rules() {
				rules[one.ID] = true
			}
		}
	}
	d, err := profile.New(profile.Options{Folder: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	for _, one := range d.Rules() {
		rules[one.ID] = true
	}
	actions := map[string]int{}
	for _, a := range slices.Concat(lab.Actions(), deeds()) {
		actions[a.Name] = a.Row
	}
	done := map[string]bool{}
	for n := 1; n <= 55; n++ {
		r, ok := rows[n]
		if !ok || r.rules == "" {
			t.Errorf("row %d has no rule", n)
		}
		for id := range strings.FieldsSeq(r.rules) {
			if !rules[id] {
				t.Errorf("row %d: there is no rule %s", n, id)
			}
		}
		for name := range strings.FieldsSeq(r.actions) {
			if done[name] = true; actions[name] != n {
				t.Errorf("row %d: the action %s is of row %d", n, name, actions[name])
			}
		}
		if r.actions == "" && r.why == "" {
			t.Errorf("row %d is not tried, and says not why", n)
		}
	}
	for name, n := range actions {
		if n > 0 && n <= 55 && !done[name] && len(rows[n].actions) == 0 {
			t.Errorf("row %d is tried by %s, and the table does not say so", n, name)
		}
	}
}

// TestRowsAreTheCatalogs: the rows are those of the list, where it is at hand.
func TestRowsAreTheCatalogs(t *testing.T) {
	f, err := os.Open("../../../shared/catalog/runtime-detections.md")
	if err != nil {
		t.Skip("the list of detections is not beside the repository")
	}
	defer f.Close()
	count := 0
	for s := bufio.NewScanner(f); s.Scan(); {
		cells := strings.Split(s.Text(), "|")
		if len(cells) < 4 {
			continue
		}
		if n, err := strconv.Atoi(strings.TrimSpace(cells[1])); err == nil {
			if count++; rows[n].rules == "" {
				t.Errorf("row %d (%s) is not in the table", n, strings.TrimSpace(cells[2]))
			}
		}
	}
	if count != len(rows) {
		t.Error(fmt.Sprint(count, " rows in the list, ", len(rows), " in the table"))
	}
}
