package family

import (
	"bytes"
	"fmt"
	"strings"
	"time"

	"bulwark"
	"bulwark/detect/internal/errno"
	"bulwark/detect/internal/recent"
	"bulwark/detect/internal/who"
)

// Hit is an event that a rule looks at, and where it tells what it saw. It is of use until the look returns.
type Hit struct {
	*bulwark.Event
	P *bulwark.Process   // never nil: where nobody did it, it has nothing
	C *bulwark.Container // nil: the node itself

	Now time.Time // of a tick, as the caller gave it

	family *Family
	rule   *Rule
	met    []byte // the path that met
	room   []byte
	found  []bulwark.Finding
}

var nobody bulwark.Process

func (h *Hit) begin(e *bulwark.Event) {
	h.Event, h.P, h.C, h.met, h.found = e, &nobody, nil, nil, nil
	if e.Process != nil {
		h.P, h.C = e.Process, e.Process.Container
	}
}

func (h *Hit) end() []bulwark.Finding {
	list := h.found
	h.Event, h.P, h.C, h.met, h.found = nil, nil, nil, nil, nil
	return list
}

// Failed tells whether the call failed; one that goes on did not.
func (h *Hit) Failed() bool {
	return h.Result < 0 && (h.Kind != connects || h.Result != inProgress && h.Result != wouldBlock)
}

// Num is the argument of that name, 0 where it is not known.
func (h *Hit) Num(name string) int64 { a, _ := h.Arg(name); return a.Num }

// Text is the argument of that name, nil where it is not known.
func (h *Hit) Text(name string) []byte { a, _ := h.Arg(name); return a.Text }

// Writes tells whether the call opens a file for writing.
func (h *Hit) Writes() bool {
	switch h.Kind.String() {
	case "creat":
		return true
	case "open", "openat", "openat2", "open_by_handle_at":
		return h.Num("flags")&(openWriteOnly|openReadWrite) != 0
	}
	return false
}

// Path is the path that met, or what the event is about.
func (h *Hit) Path() string {
	switch {
	case h.met != nil:
		return string(h.met)
	case len(h.FD.Name) != 0:
		return string(h.FD.Name)
	case h.Kind == bulwark.KindExec:
		return h.P.Path
	}
	for i, p := range h.Kind.Params() {
		if p.Type == bulwark.ParamPath && i < len(h.Args) && len(h.Args[i].Text) != 0 && !notOfCall(p.Name) {
			return h.resolve(h.Args[i].Text)
		}
	}
	return ""
}

// Where is the path of an argument, joined with the working directory.
func (h *Hit) Where(name string) string {
	if text := h.Text(name); len(text) != 0 {
		return h.resolve(text)
	}
	return ""
}

// Key is one of the container, to count by; 0: the node.
func (h *Hit) Key() uint64 { return containerKey(h.C) }

func containerKey(c *bulwark.Container) uint64 {
	if c == nil {
		return 0
	}
	return KeyOf(c.ID)
}

// KeyOf is [Hit.Key] of the container with that id.
func KeyOf(id string) uint64 { return recent.HashString(id) | 1 }

// Tell makes a finding of the rule. subject is what it is about: of one subject in one container it is told once in
// Rule.Every. What happened and who did it stand before the evidence.
func (h *Hit) Tell(subject string, evidence ...string) {
	h.TellAs(h.rule.Severity, subject, evidence...)
}

// TellAs is [Hit.Tell] with a severity below the rule's.
func (h *Hit) TellAs(s bulwark.Severity, subject string, evidence ...string) {
	if !h.Fresh(subject) {
		return
	}
	f := h.finding(s)
	if h.Kind != 0 {
		f.Evidence = append(f.Evidence, h.what())
		if h.Process != nil {
			f.Evidence = append(f.Evidence, h.by())
		}
	}
	if file := h.Path(); strings.HasPrefix(file, "/") && len(file) < 4096 {
		f.Path = Clean(file)
	}
	for _, line := range evidence {
		f.Evidence = append(f.Evidence, Clean(line))
	}
	h.found = append(h.found, f)
}

// TellOf makes a finding of the rule about a container when nothing happened.
func (h *Hit) TellOf(s bulwark.Severity, c *bulwark.ContainerRef, subject string, evidence ...string) {
	h.C = nil
	if c != nil {
		h.C = &bulwark.Container{ID: c.ID}
	}
	if !h.Fresh(subject) {
		return
	}
	f := h.finding(s)
	f.Container = c
	for _, line := range evidence {
		f.Evidence = append(f.Evidence, Clean(line))
	}
	h.found = append(h.found, f)
}

func (h *Hit) finding(s bulwark.Severity) bulwark.Finding {
	r := h.rule
	return bulwark.Finding{
		Kind: bulwark.KindRuntime, Rule: h.family.name + "/" + r.Name, Severity: min(s, r.Severity), Title: r.Title, Time: time.Unix(0, h.Time).UTC(),
		Fix: &bulwark.Fix{Text: r.Fix}, References: r.References, Tags: r.Tags,
	}
}

// Fresh tells whether nothing was told of the subject in Rule.Every, and takes it as told.
func (h *Hit) Fresh(about string) bool {
	if h.rule.Every == 0 {
		return true
	}
	last := h.family.told.Of(subject{h.rule, h.Key(), recent.HashString(about)})
	if *last != 0 && h.Time-*last < int64(h.rule.Every) && h.Time >= *last {
		return false
	}
	*last = h.Time
	return true
}

// Ref is the container as findings tell of it.
func Ref(c *bulwark.Container) *bulwark.ContainerRef {
	if c == nil {
		return nil
	}
	r := &bulwark.ContainerRef{ID: c.ID, Name: c.Name, Image: c.Image, Digest: c.Digest, Engine: c.Engine, Missing: c.Missing}
	if c.Pod != nil {
		r.Pod, r.Namespace = c.Pod.Name, c.Pod.Namespace
	}
	return r
}

// what says what happened.
func (h *Hit) what() string {
	var b strings.Builder
	b.WriteString(h.Kind.String())
	if file := h.Path(); file != "" {
		b.WriteString(" " + Clean(file))
	}
	if raw := h.FD.Raw; len(raw) != 0 && !bytes.Equal(raw, h.FD.Name) && !bytes.Equal(raw, h.met) {
		fmt.Fprintf(&b, " (asked for as %s)", Clean(string(raw)))
	}
	if h.FD.Remote.IsValid() && h.FD.Remote.Port() != 0 {
		fmt.Fprintf(&b, " to %s", h.FD.Remote)
	}
	switch failure := -h.Result; {
	case !h.Failed():
	case failure >= 512: // as the kernel says to itself
		b.WriteString(", interrupted by a signal")
	default:
		b.WriteString(", failed with " + errno.Name(failure))
	}
	return b.String()
}

// by says who did it.
func (h *Hit) by() string {
	p := h.P
	line := fmt.Sprintf("by %s, pid %d, uid %d", Command(p), p.PID, p.UID)
	switch q := p.Parent; {
	case q != nil && who.Together(p, q):
		line += ", started by " + Command(q)
	case h.C != nil && who.First(p):
		line += ", with which the container began"
	case h.C != nil && who.Entered(p):
		line += ", brought into the container from without"
	}
	return line
}
