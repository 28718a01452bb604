package abuse

import (
	"fmt"
	"time"

	"bulwark"
	"bulwark/detect/internal/family"
)

// The errnos of who has no room for another file.
const (
	nodeFull    = -23
	processFull = -24
)

const (
	fullSpan = 10 * time.Second
	fullMost = 50
)

// descriptors is the rule about files that cannot be opened any more.
func (s *state) descriptors() family.Rule {
	return family.Rule{
		Name: "descriptors-exhausted", Title: "No more files can be opened", Severity: bulwark.SeverityMedium, Tags: []string{"attack:T1499"}, References: []string{"https://attack.mitre.org/techniques/T1499/"}, Every: time.Hour,
		Why:   "Sockets and pipes count as files, and whoever takes all of them stops others: of the node, where the kernel's table is full, or of the program that is attacked by connections. Medium where it is the node's table, low where one program reached its own limit fifty times within ten seconds.",
		Noise: "Programs that do not close what they open, and limits that are too low for what is served.",
		Fix:   "See who holds them (ls /proc/PID/fd), and set a limit (LimitNOFILE, --ulimit nofile) below the node's (fs.file-max).",
		Looks: []family.Look{{Kinds: "socket pipe pipe2 memfd_create", Where: bulwark.Where{Failed: bulwark.Yes}, Do: func(h *family.Hit) {
			switch {
			case h.Result == nodeFull:
				h.Tell("node", "the node has no room for more files")
			case h.Result == processFull && h.C != nil:
				if n := s.of.Of(h.Key()).full.Add(h.Time, fullSpan, 1); n >= fullMost {
					h.TellAs(bulwark.SeverityLow, "process", fmt.Sprintf("refused %d times within %v", n, fullSpan))
				}
			}
		}}},
	}
}

// longest is for how long a watcher may be without a tick, which comes each second.
const longest = 10 * time.Second

// paused is the rule about a watch that stood still.
func paused() family.Rule {
	return family.Rule{
		Name: "sensor-paused", Title: "The watch stood still for a while", Severity: bulwark.SeverityMedium, Tags: []string{"attack:T1562.001", "attack:T1562.006"}, References: []string{"https://attack.mitre.org/techniques/T1562/001/"},
		Why:   "It does something each second, and did not: it was stopped (SIGSTOP), frozen or starved. The kernel's buffers keep what happened then as far as they go; what did not fit is told as lost. Medium, since nothing was stopped in that time.",
		Noise: "Machines that are loaded far beyond what they can do, and debuggers.",
		Fix:   "See who sent the signal (abuse/sensor-signal), and give the watch enough of the processor.",
	}
}

// pause tells of a watch that stood still, by a clock that nobody sets.
func (s *state) pause(h *family.Hit) {
	last := s.ticked
	s.ticked = h.Now
	if gap := h.Now.Sub(last); !last.IsZero() && gap > longest {
		h.TellOf(bulwark.SeverityMedium, nil, "paused", fmt.Sprintf("it stood still for %v", gap.Round(time.Second)))
	}
}
