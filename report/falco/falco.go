// Package falco writes findings of running things as Falco writes its alerts with json_output, one JSON object a line, so that
// whatever reads Falco's reads them as well. Of what Falco has no field for, keys begin with "bulwark.".
package falco

import (
	"io"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"

	"bulwark"
	"bulwark/report"
	"bulwark/report/internal/incident"
	"bulwark/report/internal/record"
)

// Format describes the format.
func Format() report.Format {
	return report.Format{Name: "falco", Summary: "Alerts as Falco writes them with json_output, one JSON object a line.", Extension: ".falco.jsonl",
		New: func(w io.Writer, o report.Options) bulwark.Handler { return New(w, Options{Now: o.Now}) }}
}

// Options is what the format may be told; the zero value suits a node.
type Options struct {
	Hostname string    // of the node; "": what the system says, or FALCO_HOSTNAME
	Now      time.Time // when notes are told; zero: each time the clock's
}

// New returns a handler that writes each finding and note at once, by one call of w.
func New(w io.Writer, o Options) bulwark.Handler {
	if o.Hostname == "" {
		o.Hostname = os.Getenv("FALCO_HOSTNAME")
	}
	if o.Hostname == "" {
		o.Hostname, _ = os.Hostname()
	}
	return &handler{w: w, o: o}
}

type handler struct {
	w   io.Writer
	o   Options
	enc record.Encoder
}

// alert has its keys in the order in which Falco writes them.
type alert struct {
	Hostname string         `json:"hostname"`
	Output   string         `json:"output"`
	Fields   map[string]any `json:"output_fields"`
	Priority string         `json:"priority"`
	Rule     string         `json:"rule"`
	Source   string         `json:"source"`
	Tags     []string       `json:"tags"`
	Time     string         `json:"time"`
}

func (h *handler) Handle(r bulwark.Record) error {
	var a alert
	switch {
	case r.Finding != nil && r.Finding.Exception == nil:
		a = fromFinding(r.Finding, h.now)
	case r.Note != nil:
		a = fromNote(r.Note, h.now())
	default:
		return nil
	}
	a.Hostname = h.o.Hostname
	line, err := h.enc.Encode(&a)
	if err != nil {
		return err
	}
	_, err = h.w.Write(append(line, '\n'))
	return err
}

func (h *handler) now() time.Time {
	if h.o.Now.IsZero() {
		return time.Now()
	}
	return h.o.Now
}

func fromFinding(f *bulwark.Finding, now func() time.Time) alert {
	at := f.Time
	if at.IsZero() {
		at = now()
	}
	a := alert{Rule: incident.Rule(f), Source: incident.Source(f), Tags: tags(f.Tags), Fields: fields(f, at)}
	a.say(at, incident.Level(f), message(f))
	return a
}

// fromNote has the shape of what Falco tells of itself.
func fromNote(n *bulwark.Note, at time.Time) alert {
	level := 6
	if n.Incomplete {
		level = 4
	}
	a := alert{Rule: "Bulwark internal: " + n.Plugin, Source: "internal", Tags: []string{}, Fields: map[string]any{}}
	if n.Path != "" {
		a.Fields["path"] = n.Path
	}
	a.say(at, level, n.Text)
	return a
}

// say sets time, priority and the line that begins with both.
func (a *alert) say(at time.Time, level int, text string) {
	at = at.UTC()
	a.Time, a.Priority = at.Format("2006-01-02T15:04:05.000000000Z"), incident.LevelName(level)
	a.Output = at.Format("15:04:05.000000000") + ": " + a.Priority + " " + text
}

// tags are a sorted set, those of ATT&CK as Falco's rules have them.
func tags(list []string) []string {
	set := make([]string, 0, len(list))
	for _, t := range list {
		set = append(set, strings.TrimPrefix(t, "attack:"))
	}
	slices.Sort(set)
	return slices.Compact(set)
}

// message is what an alert's rule said, or the finding told as rules tell theirs.
func message(f *bulwark.Finding) string {
	text := incident.Message(f)
	if f.Alert != nil && f.Alert.Output != "" {
		return text
	}
	var parts []string
	add := func(name, value string) {
		if value != "" {
			parts = append(parts, name+"="+value)
		}
	}
	if p := f.Process; p != nil {
		add("user", incident.User(p))
		add("process", p.Name)
		add("proc_exepath", p.Path)
		if len(p.Parents) > 0 {
			add("parent", p.Parents[0].Name)
		}
		add("command", incident.Command(p))
	}
	id, name := host(f)
	add("container_id", id)
	add("container_name", name)
	if c := f.Container; c != nil {
		repository, tag := incident.Image(c.Image)
		add("container_image_repository", repository)
		add("container_image_tag", tag)
		add("k8s_pod_name", c.Pod)
		add("k8s_ns_name", c.Namespace)
	}
	if len(parts) == 0 {
		return text
	}
	return text + " (" + strings.Join(parts, " ") + ")"
}

// host is how Falco calls the place of what is in no container.
func host(f *bulwark.Finding) (id, name string) {
	switch {
	case f.Container != nil:
		return incident.Short(f.Container.ID), f.Container.Name
	case f.Process != nil:
		return "host", "host"
	}
	return "", ""
}

func fields(f *bulwark.Finding, at time.Time) map[string]any {
	m := map[string]any{}
	if f.Alert != nil {
		for _, field := range f.Alert.Fields {
			m[field.Name] = field.Value
		}
	}
	m["evt.time"] = at.UnixNano()
	set := func(name, value string) {
		if _, ok := m[name]; !ok && value != "" {
			m[name] = value
		}
	}
	if p := f.Process; p != nil && f.Alert == nil {
		processFields(m, set, p)
	}
	if id, name := host(f); f.Alert == nil {
		set("container.id", id)
		set("container.name", name)
	}
	if c := f.Container; c != nil {
		repository, tag := incident.Image(c.Image)
		set("container.id", incident.Short(c.ID))
		set("container.name", c.Name)
		set("container.image.repository", repository)
		set("container.image.tag", tag)
		set("container.image.digest", c.Digest)
		set("k8s.pod.name", c.Pod)
		set("k8s.ns.name", c.Namespace)
		set("bulwark.container.missing", c.Missing)
	}
	set("bulwark.key", f.Key)
	set("bulwark.asset", string(f.Asset))
	if f.Count > 1 {
		m["bulwark.count"] = f.Count
	}
	return m
}

func processFields(m map[string]any, set func(name, value string), p *bulwark.ProcessRef) {
	m["proc.pid"], m["user.uid"] = p.PID, p.UID
	set("proc.name", p.Name)
	set("proc.exepath", p.Path)
	set("proc.cmdline", incident.Command(p))
	set("proc.cwd", p.CWD)
	set("user.name", p.User)
	if !p.Start.IsZero() {
		m["proc.pid.ts"] = p.Start.UnixNano()
	}
	for i := range p.Parents {
		set("proc.aname["+strconv.Itoa(i+1)+"]", p.Parents[i].Name)
	}
	if len(p.Parents) > 0 {
		m["proc.ppid"] = p.Parents[0].PID
		set("proc.pname", p.Parents[0].Name)
		set("proc.pcmdline", incident.Command(&p.Parents[0]))
	}
}
