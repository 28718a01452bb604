// Package ocsf writes findings of running things as Detection Findings (class 2004) of the Open Cybersecurity Schema Framework,
// one JSON object a line.
package ocsf

import (
	"crypto/sha256"
	"encoding/hex"
	"io"
	"os"
	"strconv"
	"time"

	"bulwark"
	"bulwark/report"
	"bulwark/report/internal/incident"
	"bulwark/report/internal/record"
)

// Version is the schema's: the first one whose processes have an ancestry, and evidences containers and devices, is 1.4.
const Version = "1.5.0"

const (
	class    = 2004
	category = 2
)

// Format describes the format.
func Format() report.Format {
	return report.Format{Name: "ocsf", Summary: "Detection findings of OCSF " + Version + ", one JSON object a line.", Extension: ".ocsf.jsonl",
		New: func(w io.Writer, o report.Options) bulwark.Handler { return New(w, Options{Now: o.Now}) }}
}

// Options is what the format may be told; the zero value suits a node.
type Options struct {
	Hostname string    // of the node; "": what the system says
	Now      time.Time // the time of findings that have none; zero: each time the clock's
}

// New returns a handler that writes each finding at once, by one call of w. A finding whose key has been seen lately is an update
// of it. Notes are left out: the class has no place for them.
func New(w io.Writer, o Options) bulwark.Handler {
	if o.Hostname == "" {
		o.Hostname, _ = os.Hostname()
	}
	return &handler{w: w, o: o, seen: map[string]int64{}}
}

// maxSeen is how many findings are remembered; then all are forgotten.
const maxSeen = 10_000

type handler struct {
	w       io.Writer
	o       Options
	enc     record.Encoder
	version string
	seen    map[string]int64 // when each was first told, in milliseconds
}

func (h *handler) Handle(r bulwark.Record) error {
	if r.Run != nil {
		h.version = r.Run.Version
	}
	if r.Finding == nil || r.Finding.Exception != nil {
		return nil
	}
	line, err := h.enc.Encode(h.event(r.Finding))
	if err != nil {
		return err
	}
	_, err = h.w.Write(append(line, '\n'))
	return err
}

func (h *handler) event(f *bulwark.Finding) *event {
	at := f.Time
	if at.IsZero() {
		at = h.o.Now
	}
	if at.IsZero() {
		at = time.Now()
	}
	ms := at.UnixMilli()
	first, known := h.first(f, ms)
	e := &event{
		Activity: 1, ActivityName: "Create", Class: class, ClassName: "Detection Finding", Category: category, CategoryName: "Findings",
		Time: ms, Start: first, End: ms, Message: incident.Message(f), Count: incident.Repeats(f), IsAlert: true, Status: "New", StatusID: 1,
		Risk: f.Risk, Device: h.device(), Info: info(f, first, ms), Evidences: h.evidences(f), Resources: resources(f),
		Metadata: metadata{Version: Version, Product: h.product(), UID: uid(f, ms), Original: at.UTC().Format(time.RFC3339Nano), Profiles: []string{"security_control"}},
		outcome:  outcomeOf(f.Response),
	}
	if f.Process != nil && f.Container != nil {
		e.Metadata.Profiles = append(e.Metadata.Profiles, "container")
	}
	if f.Response != nil {
		e.StatusDetail = f.Response.Text
	}
	if known {
		e.Activity, e.ActivityName = 2, "Update"
	}
	e.Type, e.TypeName = class*100+e.Activity, "Detection Finding: "+e.ActivityName
	e.SeverityID, e.Severity = severity(f.Severity)
	if f.Fix != nil {
		e.Remediation = &remediation{Desc: f.Fix.Text, References: f.References}
	}
	return e
}

// first is when the finding was first told, and whether that was before now.
func (h *handler) first(f *bulwark.Finding, ms int64) (first int64, known bool) {
	id := problem(f)
	if first, known = h.seen[id]; known {
		return min(first, ms), true
	}
	if len(h.seen) >= maxSeen {
		clear(h.seen)
	}
	h.seen[id] = ms
	return ms, false
}

// problem names what is found: a key is the same on every asset, and in every container.
func problem(f *bulwark.Finding) string {
	text := string(f.Asset) + "\x00" + f.Key + "\x00" + f.Rule
	if f.Container != nil {
		text += "\x00" + f.Container.ID
	}
	sum := sha256.Sum256([]byte(text))
	return hex.EncodeToString(sum[:16])
}

func uid(f *bulwark.Finding, ms int64) string {
	sum := sha256.Sum256([]byte(string(f.Asset) + "\x00" + f.Key + "\x00" + strconv.FormatInt(ms, 10) + "\x00" + strconv.Itoa(f.Count) + "\x00" + incident.Message(f)))
	return hex.EncodeToString(sum[:16])
}

func severity(s bulwark.Severity) (id int, name string) {
	switch s {
	case bulwark.SeverityLow:
		return 2, "Low"
	case bulwark.SeverityMedium:
		return 3, "Medium"
	case bulwark.SeverityHigh:
		return 4, "High"
	case bulwark.SeverityCritical:
		return 5, "Critical"
	}
	return 0, "Unknown"
}

func (h *handler) product() product {
	return product{Name: "Bulwark", Vendor: "Bulwark", Version: h.version}
}

// device is the node. What sort of machine it is nobody told.
func (h *handler) device() *device {
	return &device{Hostname: h.o.Hostname, Name: h.o.Hostname, TypeID: 0, Type: "Unknown"}
}
