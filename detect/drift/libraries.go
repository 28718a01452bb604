package drift

import (
	"slices"
	"strings"
	"time"

	"bulwark"
	"bulwark/detect/internal/family"
	"bulwark/detect/internal/who"
)

// unpacking are runtimes that bring libraries along and unpack them into temporary folders.
var unpacking = who.Names("java python pypy node nodejs deno bun dotnet ruby php php-fpm perl R Rscript julia electron chrome chromium firefox soffice.bin conda mono pwsh beam.smp clojure scala kotlin")

func libraries() []family.Rule {
	return []family.Rule{
		{Name: "new-library", Title: "A program of the image loads code from a place for temporary files", Severity: bulwark.SeverityMedium, Tags: []string{"attack:T1574.006", "attack:T1129"}, References: []string{"https://attack.mitre.org/techniques/T1574/006/"}, Every: time.Hour,
			Why:   "The file is mapped so that it runs inside a program that may run: no execution is seen, and rules about executions do not hold. Programs have their libraries beside them, not in /tmp or /dev/shm. Medium; runtimes that unpack libraries there are known.",
			Noise: "Programs that unpack libraries into /tmp and are not known here (those made by PyInstaller are one).",
			Fix:   fixReadOnly,
			Looks: []family.Look{{Kinds: "mmap", Where: executable(), If: func(h *family.Hit) bool {
				return h.FD.Kind == bulwark.FDFile && who.Original(h.P) && !temporary(h.P.Path) && !who.Is(h.P, unpacking) && !who.Workshop(h.C) && !who.Runtime(h.P) && !who.Builds(h.P) && !who.Installs(h.P)
			}}}},
		{Name: "made-executable", Title: "A file in a place for temporary files is made executable", Severity: bulwark.SeverityLow, Tags: []string{"attack:T1222.002", "attack:T1548"}, References: []string{"https://attack.mitre.org/techniques/T1222/002/"}, Every: time.Hour,
			Why:   "chmod +x comes between fetching a program and running it. Low: the next step is told by itself (drift/new-program), and where that is denied this is all that is seen.",
			Noise: "Jobs that write scripts into /tmp and run them.",
			Fix:   fixReadOnly,
			Looks: []family.Look{{Kinds: family.Execs, Where: beganInside, If: func(h *family.Hit) bool {
				return makesExecutable(h.P) != "" && !who.Workshop(h.C) && !who.Builds(h.P) && !who.Installs(h.P)
			}, Do: func(h *family.Hit) { h.Tell(makesExecutable(h.P), "file "+makesExecutable(h.P)) }}}},
	}
}

// executable is a mapping of a file in a place for temporary files that may be executed.
func executable() bulwark.Where {
	w := protected("mmap")
	w.Flags = slices.Clone(w.Flags[:1])
	w.Paths = family.Begins("/tmp/", "/var/tmp/", "/dev/shm/", "/run/", "/var/run/", "/dev/mqueue/")
	return w
}

// makesExecutable is the file that chmod makes executable in such a place; "": it is something else.
func makesExecutable(p *bulwark.Process) string {
	if !who.Is(p, who.Names("chmod")) || !slices.ContainsFunc(p.Args, func(a string) bool {
		return strings.HasPrefix(strings.TrimLeft(a, "augo"), "+") && strings.Contains(a, "x")
	}) {
		return ""
	}
	for _, a := range p.Args[1:] {
		if a != "" && a[0] != '/' {
			a = strings.TrimSuffix(p.CWD, "/") + "/" + strings.TrimPrefix(a, "./")
		}
		if below(a, "/tmp/", "/var/tmp/", "/dev/shm/", "/run/") || strings.Contains(a, "/.") {
			return a
		}
	}
	return ""
}
