// Package abuse finds who takes, spoils or breaks: forks without end, memory, files that are encrypted or wiped, traces
// that are removed, passwords that are tried.
package abuse

import (
	"fmt"
	"strings"
	"time"

	"bulwark"
	"bulwark/detect/internal/family"
	"bulwark/detect/internal/recent"
	"bulwark/detect/internal/who"
)

// New makes the family.
func New() *family.Family {
	s := &state{of: recent.NewTable[uint64, seen](1024), logins: recent.NewTable[login, tries](4096), made: recent.NewTable[uint64, int64](4096), sessions: recent.NewTable[session, bool](4096), talks: recent.NewTable[uint64, talk](4096), handles: recent.NewTable[handle, bool](256)}
	rules := append(s.load(), s.files()...)
	rules = append(append(rules, s.passwords(), s.descriptors(), s.signals(), s.paused(), dropped()), tampering()...)
	return family.New("abuse", "Finds who takes, spoils or breaks.", rules).OnTick("sensor-paused", s.tick)
}

type state struct {
	of       *recent.Table[uint64, seen]
	logins   *recent.Table[login, tries]
	made     *recent.Table[uint64, int64] // names of new files, without the extension that was put behind them
	sessions *recent.Table[session, bool]
	talks    *recent.Table[uint64, talk] // by connection
	handles  *recent.Table[handle, bool] // descriptors that stand for this process
	stood    stand
}

// seen is what a container did lately.
type seen struct {
	alive, refused, renamed, full recent.Count
	extension                     string
	parents                       bool // clones are told by the parent
}

// tries are the logins of the last minute that were refused, and of the last one the connection and what was said.
type tries struct {
	recent.Count
	last uint64
	said string
}

// login is who tries passwords, and where.
type login struct {
	container, peer uint64
}

var inside = bulwark.Where{Container: bulwark.Yes}

const (
	bombSpan   = 10 * time.Second
	bombAlive  = 1000
	bombFailed = 100
	tryAgain   = -11
)

func (s *state) load() []family.Rule {
	return []family.Rule{
		{Name: "fork-bomb", Title: "A container makes processes without end", Severity: bulwark.SeverityHigh, Tags: []string{"attack:T1499"}, References: []string{"https://kubernetes.io/docs/concepts/policy/pid-limiting/"},
			Why:   "A thousand processes more than ended within ten seconds, or a hundred that its limit refused: the node has process ids for all containers together, and runs out. High; limits end it early.",
			Noise: "Servers that begin with a thousand processes. Threads, and builds whose processes end again, do not count.",
			Fix:   "Set a limit of process ids (podPidsLimit, --pids-limit), and stop the container.", Every: time.Minute,
			Looks: []family.Look{
				{Kinds: family.Clones, Where: inside, Do: s.fork},
				{Kinds: "procexit", Where: inside, If: func(h *family.Hit) bool { return h.TID == h.P.PID }, Do: func(h *family.Hit) {
					s.of.Of(h.Key()).alive.Add(h.Time, bombSpan, -1)
				}},
			}},
		{Name: "out-of-memory", Title: "The kernel ended a process because memory ran out", Severity: bulwark.SeverityLow, Tags: []string{"attack:T1499"}, References: []string{"https://kubernetes.io/docs/concepts/configuration/manage-resources-containers/"},
			Why:   "A container that comes to its limit loses a process; without a limit others do. Low: mostly the limit is too low, sometimes somebody fills memory on purpose.",
			Noise: "Limits that are too low.",
			Fix:   "Set a limit of memory that fits, and see what filled it.", Every: 10 * time.Minute,
			Looks: []family.Look{{Kinds: "oom", Do: func(h *family.Hit) { h.Tell(who.Program(h.P)) }}}},
		s.guardStopped(),
	}
}

func (s *state) fork(h *family.Hit) {
	if h.Num("flags")&family.CloneThread != 0 || who.Runtime(h.P) {
		return
	}
	c := s.of.Of(h.Key())
	switch {
	case h.Result == tryAgain:
		if n := c.refused.Add(h.Time, bombSpan, 1); n >= bombFailed {
			h.Tell("fork", fmt.Sprintf("%d were refused within %v", n, bombSpan))
		}
	case h.Result < 0, h.Result == 0 && c.parents:
		// the parent tells of it
	default:
		c.parents = c.parents || h.Result > 0
		if n := c.alive.Add(h.Time, bombSpan, 1); n >= bombAlive {
			h.Tell("fork", fmt.Sprintf("%d processes more than ended within %v", n, bombSpan))
		}
	}
}

func (s *state) guardStopped() family.Rule {
	return family.Rule{Name: "guard-stopped", Title: "A container ends processes that protect it or the node", Severity: bulwark.SeverityHigh, Tags: []string{"attack:T1562.001", "attack:T1489"}, References: []string{"https://attack.mitre.org/techniques/T1562/001/"},
		Why:   "The command names agents that watch: who ends them does not want to be seen. High.",
		Noise: "Administrators who restart an agent.",
		Fix:   "See what the container did before, and start the agent again.", Every: 10 * time.Minute,
		Looks: []family.Look{{Kinds: family.Execs, Where: bulwark.Where{Failed: bulwark.No}, If: func(h *family.Hit) bool {
			return who.Is(h.P, who.Names("pkill killall systemctl service rc-service")) && stops(h.P) && (h.C != nil || h.P.TTY == 0) && !who.Installs(h.P)
		}, Do: func(h *family.Hit) { h.Tell("agents") }}}}
}

var guards = who.Names("bulwark falco tetragon auditd osqueryd clamd wazuh-agentd ossec-agentd falcon-sensor aliyun-service AliYunDun cloudmonitor YDService YDLive barad_agent sysdig tracee apparmor firewalld ufw rsyslog")

func stops(p *bulwark.Process) bool {
	verb := who.Is(p, who.Names("pkill killall"))
	for _, a := range p.Args {
		verb = verb || a == "stop" || a == "disable" || a == "mask" || a == "kill"
		if verb && guards[strings.TrimSuffix(a, ".service")] {
			return true
		}
	}
	return verb && len(p.Args) > 1 && guards[strings.TrimSuffix(p.Args[0], ".service")] // service NAME stop
}

// dropped is about the watch itself.
func dropped() family.Rule {
	return family.Rule{Name: "events-lost", Title: "Events were lost before they could be looked at", Severity: bulwark.SeverityMedium, Tags: []string{"attack:T1562.006"}, References: []string{"https://attack.mitre.org/techniques/T1562/006/"},
		Why:   "More happened than the sensor's buffers hold. What was in the lost events is not known; storms are also made on purpose, to hide one thing in them. Medium.",
		Noise: "Builds and tests that are busier than buffers are large.",
		Fix:   "Enlarge the buffers, or take out rules that need many events.", Every: 10 * time.Minute,
		Looks: []family.Look{{Kinds: "drop", If: func(h *family.Hit) bool { return h.Num("count") > 0 }, Do: func(h *family.Hit) {
			h.Tell(string(h.Text("class")), fmt.Sprintf("%d events of the class %s", h.Num("count"), h.Text("class")))
		}}}}
}
