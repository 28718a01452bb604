// Package incident tells findings of running things in words that several formats share.
package incident

import (
	"slices"
	"strconv"
	"strings"
	"time"

	"bulwark"
)

// Rule is what people call the rule: its own name where its language has one.
func Rule(f *bulwark.Finding) string {
	if f.Alert != nil && f.Alert.Rule != "" {
		return f.Alert.Rule
	}
	return f.Rule
}

// Source is where the event was seen.
func Source(f *bulwark.Finding) string {
	if f.Alert != nil && f.Alert.Source != "" {
		return f.Alert.Source
	}
	if strings.HasPrefix(f.Rule, "kubernetes/") { // that family sees nothing else
		return bulwark.SourceK8sAudit
	}
	return bulwark.SourceSyscall
}

// Message is what the finding says, without time and severity.
func Message(f *bulwark.Finding) string {
	if f.Alert != nil && f.Alert.Output != "" {
		return unstamped(f.Alert)
	}
	if why := strings.Join(f.Evidence, "; "); why != "" {
		return f.Title + ": " + why
	}
	return f.Title
}

// unstamped is what a rule said without what it begins with as Falco has it, "12:34:56.123456789: Warning ".
func unstamped(a *bulwark.Alert) string {
	const clock = "15:04:05.000000000"
	if len(a.Output) < len(clock) {
		return a.Output
	}
	rest, ok := strings.CutPrefix(a.Output[len(clock):], ": "+a.Priority+" ")
	if _, err := time.Parse(clock, a.Output[:len(clock)]); err != nil || !ok {
		return a.Output
	}
	return rest
}

// levels are syslog's severities by Falco's names of priorities, and those that Bulwark's own severities are told as.
var levels = [...]string{"Emergency", "Alert", "Critical", "Error", "Warning", "Notice", "Informational", "Debug"}

// Level is the priority of a finding as syslog numbers it, 0 the worst.
func Level(f *bulwark.Finding) int {
	if f.Alert != nil {
		if n, ok := levelNamed(f.Alert.Priority); ok {
			return n
		}
	}
	return [...]int{5, 5, 4, 3, 2}[min(max(f.Severity, 0), 4)]
}

// LevelName is the name that Falco has for a level.
func LevelName(level int) string { return levels[level] }

func levelNamed(name string) (int, bool) {
	for i, l := range levels {
		if strings.EqualFold(name, l) {
			return i, true
		}
	}
	if strings.EqualFold(name, "info") {
		return 6, true
	}
	return 0, false
}

// Repeats is how many events one finding stands for.
func Repeats(f *bulwark.Finding) int { return max(f.Count, 1) }

// Command is a process's command line, or what is known in its place.
func Command(p *bulwark.ProcessRef) string {
	if len(p.Args) > 0 {
		return strings.Join(p.Args, " ")
	}
	return p.Name
}

// User is the name of whose process it is, else the number.
func User(p *bulwark.ProcessRef) string {
	if p.User != "" {
		return p.User
	}
	return strconv.FormatUint(uint64(p.UID), 10)
}

// Image splits a reference into repository and tag; what is a digest is no tag.
func Image(ref string) (repository, tag string) {
	ref, _, _ = strings.Cut(ref, "@")
	if i := strings.LastIndexByte(ref, ':'); i > strings.LastIndexByte(ref, '/') {
		return ref[:i], ref[i+1:]
	}
	return ref, ""
}

// Short is what people call a container by.
func Short(id string) string { return id[:min(len(id), 12)] }

// Attack is a technique of MITRE ATT&CK with what it is part of, as far as tags tell.
type Attack struct {
	Technique    string // T1059; empty where only the tactic is told
	SubTechnique string // T1059.004
	Tactic       string // TA0002
}

var tactics = map[string]string{
	"reconnaissance": "TA0043", "resource_development": "TA0042", "initial_access": "TA0001", "execution": "TA0002", "persistence": "TA0003",
	"privilege_escalation": "TA0004", "defense_evasion": "TA0005", "credential_access": "TA0006", "discovery": "TA0007", "lateral_movement": "TA0008",
	"collection": "TA0009", "exfiltration": "TA0010", "command_and_control": "TA0011", "impact": "TA0040",
}

// TacticName is what a tactic is called.
func TacticName(id string) string {
	for name, t := range tactics {
		if t == id {
			return strings.Replace(titled(name), " And ", " and ", 1)
		}
	}
	return ""
}

func titled(name string) string {
	words := strings.Split(name, "_")
	for i, w := range words {
		words[i] = strings.ToUpper(w[:1]) + w[1:]
	}
	return strings.Join(words, " ")
}

// Attacks are the techniques and tactics among tags: "attack:T1611", "T1059.004", "attack:TA0004", "mitre_execution". A tactic is
// told with the techniques only where there is one tactic.
func Attacks(tags []string) []Attack {
	var list []Attack
	var seen []string
	for _, tag := range tags {
		tag = strings.TrimPrefix(tag, "attack:")
		if id, ok := tactics[strings.TrimPrefix(tag, "mitre_")]; ok {
			tag = id
		}
		switch {
		case isID(tag, "TA") && !slices.Contains(seen, tag):
			seen = append(seen, tag)
		case isID(tag, "T") && !slices.ContainsFunc(list, func(a Attack) bool { return a.Technique == tag || a.SubTechnique == tag }):
			a := Attack{Technique: tag}
			if main, _, ok := strings.Cut(tag, "."); ok {
				a = Attack{Technique: main, SubTechnique: tag}
			}
			list = append(list, a)
		}
	}
	if len(seen) == 1 && len(list) > 0 {
		for i := range list {
			list[i].Tactic = seen[0]
		}
		return list
	}
	for _, id := range seen {
		list = append(list, Attack{Tactic: id})
	}
	return list
}

// isID tells whether tag is the prefix, four digits and perhaps a dot and three.
func isID(tag, prefix string) bool {
	rest, ok := strings.CutPrefix(tag, prefix)
	if !ok {
		return false
	}
	main, sub, dotted := strings.Cut(rest, ".")
	return digits(main, 4) && (!dotted || digits(sub, 3) && prefix == "T")
}

func digits(s string, n int) bool {
	return len(s) == n && strings.Trim(s, "0123456789") == ""
}
