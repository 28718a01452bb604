// Package drift finds programs that run and were not in the image, or that hide where they came from: files that the
// container wrote, memory, files without a name, libraries that are forced into others.
package drift

import (
	"fmt"
	"strings"
	"time"

	"bulwark"
	"bulwark/detect/internal/family"
	"bulwark/detect/internal/who"
)

// New makes the family.
func New() *family.Family {
	rules := append(append(programs(), loaders()...), libraries()...)
	return family.New("drift", "Finds programs that run and were not in the image.", rules)
}

const fixReadOnly = "Put the program into the image, and run the container with a read-only root file system (readOnlyRootFilesystem: true) and temporary folders mounted noexec."

var began = bulwark.Where{Failed: bulwark.No}
var beganInside = bulwark.Where{Container: bulwark.Yes, Failed: bulwark.No}

func programs() []family.Rule {
	return []family.Rule{
		{Name: "new-program", Title: "A program runs that was not in the image", Severity: bulwark.SeverityHigh, Tags: []string{"attack:T1204", "attack:T1059", "attack:T1105"}, References: []string{"https://kubernetes.io/docs/tasks/configure-pod-container/security-context/"},
			Why:   "The file is in the layer that the container writes to: it was written or changed after the image was made. Containers run what their image has; what was added later was fetched by somebody, or is an intruder's. High and not critical, because some images unpack programs when they start.",
			Noise: "Images that unpack or compile programs at their start. What package managers of the image run themselves from where packages put programs is not told, since installing in a running container is told by shell/package-manager, and building images does little else; containers that build images by a shell that installs packages are left alone for the same reason. In containers of CI and of editors (their labels and variables say so) only programs in places for temporary files, and hidden ones, are told.",
			Fix:   fixReadOnly, Every: time.Hour,
			Looks: []family.Look{{Kinds: family.Execs, Where: beganInside, If: func(h *family.Hit) bool {
				return h.P.File.Upper && !h.P.File.Memory && !who.Runtime(h.P) && !installed(h.P) && !who.Builds(h.P) && !(who.Workshop(h.C) && !temporary(h.P.Path))
			}, Do: func(h *family.Hit) { h.Tell(h.P.Path, written(h)) }}}},
		{Name: "memory-program", Title: "A program runs that is in no file", Severity: bulwark.SeverityHigh, Tags: []string{"attack:T1620", "attack:T1027.011"}, References: []string{"https://attack.mitre.org/techniques/T1620/"},
			Why:   "It was executed out of memory (memfd_create), so that no file can be found, scanned or compared. Loaders of miners and back doors work so. High.",
			Noise: "runc executes a copy of itself out of memory when it makes containers, which is excused where it comes from the engine. Some self-updating programs and sandboxes do the same.",
			Fix:   "Stop the container, and keep a copy of /proc/PID/exe first.", Every: time.Hour,
			Looks: []family.Look{{Kinds: family.Execs, Where: began, If: func(h *family.Hit) bool {
				return h.P.File.Memory && !who.Runtime(h.P) && !who.EngineOfNode(h.P) && !copyOfEngine(h.P)
			}, Do: func(h *family.Hit) { h.Tell(h.P.Path) }}}},
		{Name: "deleted-program", Title: "A program runs whose file was deleted", Severity: bulwark.SeverityMedium, Tags: []string{"attack:T1070.004", "attack:T1620"}, References: []string{"https://attack.mitre.org/techniques/T1070/004/"},
			Why:   "The file had no name any more when it was executed, so nobody can look at it. Medium: programs that were replaced by an update and start themselves anew are like that as well.",
			Noise: "Programs that are updated while they run. Judged in containers alone, where programs are not updated.",
			Fix:   "Keep a copy of /proc/PID/exe, and see where it came from.", Every: time.Hour,
			Looks: []family.Look{{Kinds: family.Execs, Where: beganInside, If: func(h *family.Hit) bool {
				return h.P.File.Deleted && !h.P.File.Memory && !who.Runtime(h.P)
			}, Do: func(h *family.Hit) { h.Tell(h.P.Path) }}}},
		{Name: "temporary-program", Title: "A program runs from a place for temporary files", Severity: bulwark.SeverityHigh, Tags: []string{"attack:T1036.005", "attack:T1059"}, References: []string{"https://attack.mitre.org/techniques/T1036/005/"},
			Why:   "Everybody can write to /tmp, /dev/shm and /run, and nothing is installed there. What an intruder fetches lies there first. High for /dev/shm, which lives in memory; medium for the others.",
			Noise: "Installers and tests that unpack to /tmp. On the node itself only /dev/shm is judged. In containers what drift/new-program tells is not told twice.",
			Fix:   fixReadOnly, Every: time.Hour,
			Looks: []family.Look{
				{Kinds: family.Execs, Where: began, If: func(h *family.Hit) bool {
					return below(h.P.Path, "/dev/shm/", "/dev/mqueue/") && !(h.P.File.Upper && h.C != nil)
				}, Do: func(h *family.Hit) { h.Tell(h.P.Path) }},
				{Kinds: family.Execs, Where: beganInside, If: func(h *family.Hit) bool {
					return below(h.P.Path, "/tmp/", "/var/tmp/", "/run/", "/var/run/") && !strings.HasPrefix(h.P.Path, "/run/s6/") && !h.P.File.Upper && !h.P.File.Lower &&
						!who.Runtime(h.P) && !who.Installs(h.P) && !who.Builds(h.P)
				}, Do: func(h *family.Hit) { h.TellAs(bulwark.SeverityMedium, h.P.Path) }},
				{Kinds: family.Execs, Where: beganInside, If: func(h *family.Hit) bool {
					s := script(h.P)
					return below(s, "/dev/shm/") && !who.Builds(h.P)
				}, Do: func(h *family.Hit) { h.TellAs(bulwark.SeverityMedium, script(h.P), "script "+script(h.P)) }},
			}},
	}
}

// installed tells whether a package manager of the image runs what it just unpacked.
func installed(p *bulwark.Process) bool {
	return who.Above(p, who.Packagers) != nil && (who.InPlace(p.Path) || below(p.Path, "/var/lib/dpkg/", "/var/lib/apt/", "/etc/"))
}

// copyOfEngine tells whether a process of the node is runc's copy of itself: the engine's program is its parent.
func copyOfEngine(p *bulwark.Process) bool {
	return p.Container == nil && p.Parent != nil && who.EngineOfNode(p.Parent) && (strings.Contains(p.Path, "runc_cloned") || strings.Contains(p.Path, "memfd:crun") || p.Path == "/")
}

// written says when the file was written or changed.
func written(h *family.Hit) string {
	f := h.P.File
	if f.Changed == 0 || f.Changed > h.Time {
		return "the file is in the layer that the container writes to"
	}
	line := fmt.Sprintf("written or changed %s before it ran, in the layer that the container writes to", time.Duration(h.Time-f.Changed).Round(time.Millisecond))
	if h.C.Started > f.Changed {
		line += "; that was before the container began"
	}
	return line
}

func below(file string, dirs ...string) bool {
	for _, d := range dirs {
		if strings.HasPrefix(file, d) {
			return true
		}
	}
	return false
}

// script is what an interpreter is given to run.
func script(p *bulwark.Process) string {
	if !who.Is(p, who.Shells) && !who.Is(p, who.Interpreters) {
		return ""
	}
	for _, a := range p.Args {
		if a == "-c" || a == "-e" || a == "-m" {
			return ""
		}
		if !strings.HasPrefix(a, "-") {
			return a
		}
	}
	return ""
}
