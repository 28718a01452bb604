package drift

import (
	"slices"
	"strings"
	"time"

	"bulwark"
	"bulwark/detect/internal/family"
	"bulwark/detect/internal/who"
)

// Of mmap and mprotect.
const (
	protWrite, protExec = 2, 4
	mapAnonymous        = 0x20
)

func loaders() []family.Rule {
	return []family.Rule{
		{Name: "loader-bypass", Title: "A program is run by the loader, past what allows programs to run", Severity: bulwark.SeverityHigh, Tags: []string{"attack:T1574.006", "attack:T1218"}, References: []string{"https://attack.mitre.org/techniques/T1574/006/"},
			Why:   "ld.so FILE runs a program that may not be executed: it is only read, so that noexec, missing bits and rules about execution do not hold. High where the file is in a place for temporary files or hidden; medium elsewhere.",
			Noise: "Some bundles start their programs by a loader of their own. ldd and questions to the loader are not told.",
			Fix:   fixReadOnly, Every: time.Hour,
			Looks: []family.Look{{Kinds: family.Execs, Where: began, If: runsByLoader, Do: func(h *family.Hit) {
				file := loaded(h.P)
				if temporary(file) {
					h.Tell(file, "loads "+file)
				} else if h.C != nil {
					h.TellAs(bulwark.SeverityMedium, file, "loads "+file)
				}
			}}}},
		{Name: "preload", Title: "A library from an odd place is forced into programs", Severity: bulwark.SeverityHigh, Tags: []string{"attack:T1574.006"}, References: []string{"https://attack.mitre.org/techniques/T1574/006/"},
			Why:   "LD_PRELOAD, LD_AUDIT and /etc/ld.so.preload put a library into programs before all others, which then sees and changes all they do: how rootkits without the kernel hide. High, where the library is in a folder for temporary files or hidden, or the list for all programs is written.",
			Noise: "Allocators and shims in their usual places are not told. Images that write ld.so.preload at their start are.",
			Fix:   "Remove the entry, and see which processes have the library mapped.", Every: time.Hour,
			Looks: []family.Look{
				{Kinds: family.Execs, Where: began, If: func(h *family.Hit) bool { return forced(h.P) != "" && !who.Builds(h.P) },
					Do: func(h *family.Hit) { h.Tell(forced(h.P), forced(h.P)) }},
				{Kinds: family.Opens, Where: bulwark.Where{Failed: bulwark.No, Write: bulwark.Yes, Paths: family.Ends("/etc/ld.so.preload")}, If: notInstalling},
				{Kinds: "rename renameat renameat2 link linkat symlink symlinkat", Where: bulwark.Where{Failed: bulwark.No, Paths: family.Ends("/etc/ld.so.preload")}, If: notInstalling},
			}},
		{Name: "written-code", Title: "A program that was not in the image makes memory that it wrote executable", Severity: bulwark.SeverityMedium, Tags: []string{"attack:T1055", "attack:T1027.002"}, References: []string{"https://attack.mitre.org/techniques/T1027/002/"},
			Why:   "It unpacks or receives code and runs it. Runtimes that compile while they run do the same, so it counts only for programs that the container wrote, or that are in memory or in a temporary place. Medium, since that alone is told already.",
			Noise: "Runtimes that are installed into a running container.",
			Fix:   "Keep a copy of the process's memory (gcore), then stop the container.", Every: 24 * time.Hour,
			Looks: []family.Look{
				{Kinds: "mmap", Where: protected("mmap"), If: func(h *family.Hit) bool {
					return h.Num("flags")&mapAnonymous != 0 && suspect(h.P)
				}, Do: func(h *family.Hit) { h.Tell(h.P.Path) }},
				{Kinds: "mprotect", Where: protExecutable("mprotect"), If: func(h *family.Hit) bool { return suspect(h.P) },
					Do: func(h *family.Hit) { h.Tell(h.P.Path) }},
			}},
	}
}

// protected is a call of a container that makes memory executable and writable at once.
func protected(kind string) bulwark.Where {
	k, _ := bulwark.KindNamed(kind)
	i := slices.IndexFunc(k.Params(), func(p bulwark.Param) bool { return p.Name == "prot" })
	return bulwark.Where{Container: bulwark.Yes, Failed: bulwark.No, Flags: []bulwark.FlagMatch{{Param: i, Any: protExec}, {Param: i, Any: protWrite}}}
}

// protExecutable is one that makes it executable: the kernel does not say what it was before.
func protExecutable(kind string) bulwark.Where {
	w := protected(kind)
	w.Flags = w.Flags[:1]
	return w
}

func suspect(p *bulwark.Process) bool {
	return (!who.Original(p) || temporary(p.Path)) && !who.Runtime(p) && !who.Builds(p) && !installed(p) && !who.Workshop(p.Container)
}

func temporary(file string) bool {
	return below(file, "/tmp/", "/var/tmp/", "/dev/shm/", "/run/", "/dev/mqueue/") || strings.Contains(file, "/.")
}

func runsByLoader(h *family.Hit) bool {
	name := who.Program(h.P)
	ld := strings.HasPrefix(name, "ld-linux") || strings.HasPrefix(name, "ld-musl") || name == "ld.so" || strings.HasPrefix(name, "ld-") && strings.HasSuffix(h.P.Path, ".so")
	return ld && loaded(h.P) != "" && !strings.Contains(strings.Join(h.P.Env, "\n"), "LD_TRACE_LOADED_OBJECTS=") && strings.TrimSuffix(h.P.Exe, "ldd") == h.P.Exe && !who.Installs(h.P)
}

// loaded is the program that a loader is asked to run; "": it is only asked something.
func loaded(p *bulwark.Process) string {
	for i := 0; i < len(p.Args); i++ {
		switch a := p.Args[i]; {
		case slices.Contains([]string{"--library-path", "--preload", "--audit", "--argv0", "--inhibit-rpath", "--glibc-hwcaps-prepend", "--glibc-hwcaps-mask"}, a):
			i++
		case slices.Contains([]string{"--list", "--verify", "--help", "--version", "--list-tunables", "--list-diagnostics"}, a):
			return ""
		case !strings.HasPrefix(a, "-"):
			return a
		}
	}
	return ""
}

// forced is the variable that forces an odd library into the program.
func forced(p *bulwark.Process) string {
	for _, e := range p.Env {
		name, value, _ := strings.Cut(e, "=")
		if name != "LD_PRELOAD" && name != "LD_AUDIT" {
			continue
		}
		for _, lib := range strings.FieldsFunc(value, func(r rune) bool { return r == ':' || r == ' ' }) {
			if temporary(lib) {
				return e
			}
		}
	}
	return ""
}

func notInstalling(h *family.Hit) bool {
	return !who.Installs(h.P) && !who.Builds(h.P) && !who.Runtime(h.P) && !who.EngineOfNode(h.P)
}
