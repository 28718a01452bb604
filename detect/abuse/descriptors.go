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
