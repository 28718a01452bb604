package abuse

import (
	"fmt"
	"os"
	"strconv"
	"strings"
	"time"

	"bulwark"
	"bulwark/detect/internal/family"
	"bulwark/detect/internal/who"
)

// Commands of bpf that take hold of what others loaded, or change it.
const (
	bpfProgramByID = 13
	bpfMapByID     = 14
	bpfLinkUpdate  = 29
	bpfLinkByID    = 30
	bpfLinkDetach  = 34
)

// tampering is about who changes the watch itself.
func tampering() []family.Rule {
	const fix = "Take the capabilities SYS_PTRACE, BPF and SYS_ADMIN from who needs them not, start the sensor again, and look at who did it."
	tags, references := []string{"attack:T1562.001"}, []string{"https://attack.mitre.org/techniques/T1562/001/"}
	return []family.Rule{
		{Name: "sensor-changed", Title: "Somebody reads or changes the memory of the sensor", Severity: bulwark.SeverityHigh, Tags: tags, References: references,
			Why:   "ptrace, process_vm_writev and /proc/PID/mem let others read and change what bulwark is, or hold it. High.",
			Noise: "Developers who debug bulwark.",
			Fix:   fix, Every: time.Minute,
			Looks: []family.Look{
				{Kinds: "ptrace process_vm_readv process_vm_writev", Where: bulwark.Where{Failed: bulwark.No}, If: func(h *family.Hit) bool { return h.Num("pid") == int64(self) && seesUs(h) }, Do: func(h *family.Hit) { h.Tell(h.Kind.String()) }},
				{Kinds: "open openat openat2", Where: bulwark.Where{Failed: bulwark.No, Paths: []bulwark.PathMatch{{By: bulwark.PathIs, Text: ourMemory}}}, If: seesUs, Do: func(h *family.Hit) { h.Tell(ourMemory) }},
			}},
		{Name: "sensor-bpf", Title: "Somebody takes hold of the sensor's BPF programs", Severity: bulwark.SeverityHigh, Tags: tags, References: references,
			Why:   "Whoever has a descriptor of a map, program or link of bulwark can read it, empty its rings or detach its hooks. High where it is one of bulwark's; medium where links were detached or exchanged and it is not known whose.",
			Noise: "bpftool and other tools that list what is loaded.",
			Fix:   fix, Every: time.Minute,
			Looks: []family.Look{{Kinds: "bpf", Where: bulwark.Where{Failed: bulwark.No}, If: func(h *family.Hit) bool { return h.P.PID != self && h.Result >= 0 }, Do: bpf}}},
	}
}

var ourMemory = "/proc/" + strconv.Itoa(self) + "/mem"

// seesUs tells whether ids of processes mean to whoever acts what they mean here.
func seesUs(h *family.Hit) bool { return h.P.PID != self && (h.C == nil || who.SeesNode(h.P)) }

func bpf(h *family.Hit) {
	switch h.Num("cmd") {
	case bpfLinkUpdate, bpfLinkDetach:
		h.TellAs(bulwark.SeverityMedium, "link", "a link of somebody's was changed")
	case bpfProgramByID, bpfMapByID, bpfLinkByID:
		if what := bpfObject(h.P.PID, int(h.Result)); what != "" && ours(what) {
			h.Tell(what, "it opened "+what+" of the sensor")
		}
	}
}

// bpfObject is what a descriptor stands for: "map_id 7"; "": it cannot be told any more.
func bpfObject(pid, fd int) string {
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/fdinfo/%d", pid, fd))
	if err != nil {
		return ""
	}
	return objectOf(string(b))
}

func objectOf(fdinfo string) string {
	for line := range strings.Lines(fdinfo) {
		key, id, ok := strings.Cut(line, ":")
		if key = strings.TrimSpace(key); ok && (key == "map_id" || key == "prog_id" || key == "link_id") {
			return key + " " + strings.TrimSpace(id)
		}
	}
	return ""
}

// ours tells whether this process has the object, too.
func ours(what string) bool {
	list, err := os.ReadDir("/proc/self/fdinfo")
	if err != nil {
		return false
	}
	for _, e := range list {
		if b, err := os.ReadFile("/proc/self/fdinfo/" + e.Name()); err == nil && objectOf(string(b)) == what {
			return true
		}
	}
	return false
}
