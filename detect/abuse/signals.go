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

// The signals that end or stop whoever has no handler for them.
const (
	sigKill = 9
	sigTerm = 15
	sigStop = 19
	sigTTOU = 22 // SIGTSTP, SIGTTIN and SIGTTOU are in a row
)

// longest is for how long the watch may stand still without a word, where nobody is known to have stopped it.
const longest = 10 * time.Second

// settled is after how many ticks it is told that the watch stood still: by then it is known who did it, if it ever is.
const settled = 3

// handle is a descriptor of a process.
type handle struct {
	pid   int
	start int64
	fd    int64
}

// stand is the last time that the watch stood still.
type stand struct {
	end     int64 // 0: it never did
	late    time.Duration
	lost    int64
	resumed bool // by SIGCONT
	open    bool // it is not told so far
	ticks   int
	signal  int64 // when the last signal came that stopped it, of somebody who was told of
}

// began is when it stood still at the earliest: clocks are looked at once a second.
func (s *stand) began() int64 { return s.end - int64(s.late) - int64(2*time.Second) }

// explains tells whether a signal of that time made the watch stand still.
func (s *stand) explains(at int64) bool { return s.end != 0 && at >= s.began() && at <= s.end }

// signals is the rule about who stops or ends the watch. Where it was stopped, this is the one alert about it.
func (s *state) signals() family.Rule {
	ok := bulwark.Where{Failed: bulwark.No}
	return family.Rule{Name: "sensor-signal", Title: "Somebody stops or ends the sensor", Severity: bulwark.SeverityHigh, Tags: []string{"attack:T1562.001"}, References: []string{"https://attack.mitre.org/techniques/T1562/001/"},
		Why:   "A signal that stops or ends bulwark came from a process of a container, or one that is not the system's. What follows is not seen, or late: the evidence says for how long it stood still, and what was lost. High.",
		Noise: "Administrators who end it by kill -9; kill without it on a terminal, systemd and container engines are excused.",
		Fix:   "Start the sensor again, and look at who sent the signal.", Every: time.Minute,
		Looks: []family.Look{
			{Kinds: "kill tkill tgkill rt_sigqueueinfo rt_tgsigqueueinfo pidfd_send_signal", Where: ok, If: func(h *family.Hit) bool { return harms(h) && s.reaches(h) }, Do: s.signalled},
			{Kinds: "pidfd_open", Where: ok, If: func(h *family.Hit) bool { return h.Result >= 0 }, Do: func(h *family.Hit) {
				*s.handles.Of(handle{h.P.PID, h.P.Start, h.Result}) = h.Num("pid") == int64(self) && seesUs(h)
			}},
			{Kinds: "stall", Do: s.stalled},
		}}
}

// harms tells whether a signal stops or ends, and comes from one who has no business to.
func harms(h *family.Hit) bool {
	sig := h.Num("sig")
	atTerminal := h.P.TTY != 0 && sig != sigKill && sig != sigStop
	return (sig == sigKill || sig == sigTerm || sig >= sigStop && sig <= sigTTOU) && h.P.PID != self && !atTerminal &&
		!who.EngineOfNode(h.P) && !who.Trusted(h.P, who.Names("systemd"))
}

// reaches tells whether a signal is for this process.
func (s *state) reaches(h *family.Hit) bool {
	switch h.Kind.String() {
	case "pidfd_send_signal":
		return s.standsForUs(h)
	case "tkill":
		return oneOfUs(h.Num("tid")) && seesUs(h)
	case "kill":
		switch to := h.Num("pid"); {
		case to == 0:
			return h.P.PGID == group && group != 0
		case to == -1 || to < 0 && -to == int64(group):
			return seesUs(h)
		}
	}
	return oneOfUs(h.Num("pid")) && seesUs(h)
}

// oneOfUs tells whether a number is that of this process or of one of its threads: a signal to one is for all.
func oneOfUs(id int64) bool {
	if id == int64(self) {
		return true
	}
	_, err := os.Stat(fmt.Sprint("/proc/self/task/", id))
	return err == nil && id > 0
}

// standsForUs tells whether the descriptor that a signal is sent by stands for this process: by its name, by what the kernel says of
// it where it is still open, or since it was seen to be opened so, by the process or one that it comes from.
func (s *state) standsForUs(h *family.Hit) bool {
	fd := h.Num("fd")
	if string(h.FD.Name) == "/proc/"+strconv.Itoa(self) && seesUs(h) {
		return true
	}
	if b, err := os.ReadFile(fmt.Sprintf("/proc/%d/fdinfo/%d", h.P.PID, fd)); err == nil {
		for line := range strings.Lines(string(b)) {
			if key, pid, ok := strings.Cut(line, ":"); ok && key == "Pid" {
				return strings.TrimSpace(pid) == strconv.Itoa(self)
			}
		}
	}
	for p, n := h.P, 0; p != nil && n < 4; p, n = p.Parent, n+1 {
		if is := s.handles.Get(handle{p.PID, p.Start, fd}); is != nil && *is {
			return true
		}
	}
	return false
}

// signalled tells of a signal. One that stopped the watch is seen once it goes on: then it is known for how long.
func (s *state) signalled(h *family.Hit) {
	subject, evidence := "signal", []string{fmt.Sprintf("signal %d", h.Num("sig"))}
	if sig := h.Num("sig"); sig >= sigStop && sig <= sigTTOU {
		s.stood.signal = h.Time
		if s.stood.explains(h.Time) {
			subject = fmt.Sprint("stood still until ", s.stood.end) // each time counts
			evidence = append(evidence, stillFor(time.Duration(s.stood.end-h.Time)), missed(s.stood.lost))
		} else {
			evidence = append(evidence, "it went on within two seconds")
		}
	}
	h.Tell(subject, evidence...)
}

func stillFor(d time.Duration) string {
	return fmt.Sprintf("it stood still for %v", max(d, 0).Round(100*time.Millisecond))
}

func missed(lost int64) string {
	if lost == 0 {
		return "what happened meanwhile waited in the rings, and nothing of it is lost"
	}
	return fmt.Sprintf("what happened meanwhile waited in the rings, and %d events of it are lost", lost)
}

// paused is the rule about a watch that stood still, and nobody is known to have stopped it.
func (s *state) paused() family.Rule {
	return family.Rule{
		Name: "sensor-paused", Title: "The watch stood still for a while", Severity: bulwark.SeverityHigh, Tags: []string{"attack:T1562.001", "attack:T1562.006"}, References: []string{"https://attack.mitre.org/techniques/T1562/001/"},
		Why:   "It does something each second, and did not: it was stopped by a signal whose sender was not seen, frozen or starved. The kernel's buffers keep what happened then as far as they go; what did not fit is told as lost. High where a signal had it go on, so that one had stopped it; medium else, from ten seconds on.",
		Noise: "Machines that are loaded far beyond what they can do, that slept, and debuggers. Ctrl-Z and fg at a terminal are told, too.",
		Fix:   "Look at who may send it signals or change its control group, at what happened in that time, and give the watch enough of the processor.",
	}
}

// stalled takes what the engine says: a late clock and the signal that it went on by may come one after the other, in any order.
func (s *state) stalled(h *family.Hit) {
	st, late := &s.stood, time.Duration(h.Num("late"))
	if !st.open || h.Time-st.end > int64(5*time.Second) {
		*st = stand{signal: st.signal, open: true}
	}
	st.end, st.ticks = h.Time, 0
	st.late, st.lost = max(st.late, late), st.lost+h.Num("lost")
	st.resumed = st.resumed || h.Num("sig") != 0
}

// tick tells that the watch stood still, unless somebody was told of who stopped it.
func (s *state) tick(h *family.Hit) {
	st := &s.stood
	if !st.open {
		return
	}
	if st.ticks++; st.ticks < settled {
		return
	}
	st.open = false
	switch {
	case st.explains(st.signal):
	case st.resumed:
		h.TellOf(bulwark.SeverityHigh, nil, "stopped", "a signal that was not seen stopped it, and another one made it go on", stillFor(st.late), missed(st.lost))
	case st.late > longest:
		h.TellOf(bulwark.SeverityMedium, nil, "paused", stillFor(st.late), missed(st.lost))
	}
}
