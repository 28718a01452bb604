package otlp

import (
	"strconv"
	"time"

	"bulwark"
	"bulwark/report/internal/incident"
	"bulwark/report/internal/text"
)

// logRecord is a LogRecord of OTLP. Its 64-bit numbers are strings.
type logRecord struct {
	Time       string     `json:"timeUnixNano"`
	Observed   string     `json:"observedTimeUnixNano"`
	Number     int        `json:"severityNumber"`
	Severity   string     `json:"severityText"`
	Event      string     `json:"eventName"`
	Body       value      `json:"body"`
	Attributes attributes `json:"attributes"`
}

type attributes []attribute

type attribute struct {
	Key   string `json:"key"`
	Value value  `json:"value"`
}

// value is an AnyValue: one of its fields is set.
type value struct {
	String *string `json:"stringValue,omitempty"`
	Int    *string `json:"intValue,omitempty"`
	Array  *values `json:"arrayValue,omitempty"`
}

type values struct {
	Values []value `json:"values"`
}

func stringValue(s string) value {
	s = text.Clean(s)
	return value{String: &s}
}

func (a attributes) text(key, s string) attributes {
	if s == "" {
		return a
	}
	return append(a, attribute{key, stringValue(s)})
}

func (a attributes) number(key string, n int64) attributes {
	s := strconv.FormatInt(n, 10)
	return append(a, attribute{key, value{Int: &s}})
}

func (a attributes) list(key string, list []string) attributes {
	if len(list) == 0 {
		return a
	}
	v := &values{}
	for _, s := range list {
		v.Values = append(v.Values, stringValue(s))
	}
	return append(a, attribute{key, value{Array: v}})
}

// numbers are OpenTelemetry's for the levels of syslog: FATAL2 to DEBUG.
var numbers = [...]int{22, 21, 18, 17, 13, 10, 9, 5}

func nanoseconds(t time.Time) string { return strconv.FormatInt(t.UnixNano(), 10) }

func ofFinding(f *bulwark.Finding, now time.Time) *logRecord {
	at := f.Time
	if at.IsZero() {
		at = now
	}
	level := incident.Level(f)
	l := &logRecord{Time: nanoseconds(at), Observed: nanoseconds(now), Number: numbers[level], Severity: incident.LevelName(level), Event: "bulwark.finding", Body: stringValue(incident.Message(f))}
	a := l.Attributes.text("bulwark.rule", f.Rule).text("bulwark.key", f.Key).text("bulwark.severity", f.Severity.String()).text("bulwark.title", f.Title).
		text("bulwark.asset", string(f.Asset)).text("bulwark.source", incident.Source(f)).list("bulwark.tags", f.Tags).list("bulwark.evidence", f.Evidence)
	if f.Alert != nil {
		a = a.text("bulwark.alert.rule", f.Alert.Rule).text("bulwark.alert.priority", f.Alert.Priority)
	}
	if f.Count > 1 {
		a = a.number("bulwark.count", int64(f.Count))
	}
	l.Attributes = ofContainer(ofProcess(a, f.Process), f.Container)
	return l
}

// The names are those of OpenTelemetry's semantic conventions.

func ofProcess(a attributes, p *bulwark.ProcessRef) attributes {
	if p == nil {
		return a
	}
	a = a.number("process.pid", int64(p.PID)).text("process.executable.name", p.Name).text("process.executable.path", p.Path).text("process.command_line", incident.Command(p)).
		list("process.command_args", p.Args).text("process.working_directory", p.CWD).text("process.owner", incident.User(p)).number("process.user.id", int64(p.UID))
	if len(p.Parents) == 0 {
		return a
	}
	var names []string
	for i := range p.Parents {
		names = append(names, p.Parents[i].Name)
	}
	return a.number("process.parent_pid", int64(p.Parents[0].PID)).list("bulwark.process.ancestors", names)
}

func ofContainer(a attributes, c *bulwark.ContainerRef) attributes {
	if c == nil {
		return a
	}
	repository, tag := incident.Image(c.Image)
	a = a.text("container.id", c.ID).text("container.name", c.Name).text("container.image.name", repository).text("container.image.id", c.Digest).text("container.runtime.name", c.Engine).
		text("k8s.pod.name", c.Pod).text("k8s.namespace.name", c.Namespace).text("bulwark.container.missing", c.Missing)
	if tag != "" {
		a = a.list("container.image.tags", []string{tag})
	}
	return a
}

func ofNote(n *bulwark.Note, now time.Time) *logRecord {
	level := 6
	if n.Incomplete {
		level = 4
	}
	l := &logRecord{Time: nanoseconds(now), Observed: nanoseconds(now), Number: numbers[level], Severity: incident.LevelName(level), Event: "bulwark.note", Body: stringValue(n.Text)}
	l.Attributes = attributes{}.text("bulwark.plugin", n.Plugin).text("bulwark.path", n.Path)
	return l
}
