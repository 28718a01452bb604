package escape

import (
	"time"

	"bulwark"
	"bulwark/detect/internal/family"
	"bulwark/detect/internal/who"
)

// tampering are the commands of bpf that reach for programs, maps and links of others, or take them off, with their names.
var tampering = map[int64]string{
	8: "attach a program", 9: "take a program off", 13: "open a program by its number", 14: "open a map by its number", 29: "replace a program", 30: "open a link by its number", 34: "take a link off",
}

// tamper is the rule about who reaches for what watches.
func tamper() family.Rule {
	return family.Rule{
		Name: "bpf-tamper", Title: "A container reaches for the programs in the kernel that watch it", Severity: bulwark.SeverityHigh, Tags: []string{"attack:T1562.001", "attack:T1611"}, References: []string{"https://attack.mitre.org/techniques/T1562/001/"}, Every: 10 * time.Minute,
		Why:   "Sensors and network plugins are programs and maps in the kernel. Whoever opens them by their numbers can empty their maps, replace them or take them off, and is then seen by nobody. High: it takes CAP_BPF or CAP_SYS_ADMIN, and agents that are known are excused.",
		Noise: "Agents for networks and monitoring that are not known here, and bpftool in a container that people debug with.",
		Fix:   "Drop CAP_BPF and CAP_SYS_ADMIN. Start the sensor again, and see what the container did before.",
		Looks: []family.Look{{Kinds: "bpf", Where: inside, If: func(h *family.Hit) bool {
			return tampering[h.Num("cmd")] != "" && outOfEngine(h) && !who.Trusted(h.P, bpfUsers)
		}, Do: func(h *family.Hit) { h.Tell(who.Program(h.P), "it asks to "+tampering[h.Num("cmd")]) }}},
	}
}
