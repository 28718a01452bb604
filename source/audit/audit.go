// Package audit gives the audit log of a Kubernetes API server as events: from the file that the server writes, or as the webhook that
// it calls.
package audit

import (
	"bytes"
	"encoding/json"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"bulwark"
)

const name = "source/audit"

// maxEvent is the most that an event's document may have.
const maxEvent = 1 << 20

// counter counts as bulwark.Count has it.
type counter struct{ seen, filtered, sent, dropped atomic.Uint64 }

func (c *counter) count(class string) []bulwark.Count {
	return []bulwark.Count{{Class: class, Seen: c.seen.Load(), Filtered: c.filtered.Load(), Sent: c.sent.Load(), Dropped: c.dropped.Load()}}
}

// noter tells things once until they change.
type noter struct {
	mu   sync.Mutex
	note func(bulwark.Note)
	said map[string]bool
}

// tell tells a text of a sort, unless one of that sort was told since it was last over.
func (n *noter) tell(sort, text string) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.note == nil || n.said[sort] {
		return
	}
	if n.said == nil {
		n.said = map[string]bool{}
	}
	n.said[sort] = true
	n.note(bulwark.Note{Plugin: name, Text: text, Incomplete: true})
}

// over says that a sort of trouble has ended, if it was told.
func (n *noter) over(sort, text string) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.note == nil || !n.said[sort] {
		return
	}
	delete(n.said, sort)
	n.note(bulwark.Note{Plugin: name, Text: text})
}

// document is what is read of an event, or of a list of them.
type document struct {
	Kind       string
	APIVersion string            `json:"apiVersion"`
	ID         string            `json:"auditID"`
	Stage      string            `json:"stageTimestamp"`
	Received   string            `json:"requestReceivedTimestamp"`
	Items      []json.RawMessage `json:"items"`
}

// versioned tells whether a document is of the audit log by its version, and bare whether it has none: what took it from a list
// left that out.
func (d *document) versioned() bool { return strings.HasPrefix(d.APIVersion, "audit.k8s.io/") }
func (d *document) bare() bool      { return d.APIVersion == "" }

// parse gives the events of a document: those of an EventList or of a list without a name, or the one that it is. bad counts those
// that are none. now dates events that have no time.
func parse(data []byte, now time.Time) (events []bulwark.Event, bad int) {
	var list []json.RawMessage
	if data = bytes.TrimSpace(data); len(data) == 0 || data[0] != '[' {
		return object(nil, data, now)
	}
	if json.Unmarshal(data, &list) != nil {
		return nil, 1
	}
	for _, item := range list {
		var n int
		events, n = object(events, item, now)
		bad += n
	}
	return events, bad
}

// object adds the events of a document that is no list without a name.
func object(events []bulwark.Event, data []byte, now time.Time) (_ []bulwark.Event, bad int) {
	var d document
	if json.Unmarshal(data, &d) != nil {
		return events, 1
	}
	switch {
	case d.Kind == "EventList" && (d.versioned() || d.bare()):
	case d.Kind == "Event" && d.versioned(), d.bare() && d.ID != "" && (d.Kind == "Event" || d.Kind == ""):
		return one(events, data, &d, now)
	default:
		return events, 1
	}
	events = slices.Grow(events, len(d.Items))
	for _, item := range d.Items {
		var e document // in a list, kind and version are those of the list
		if json.Unmarshal(item, &e) != nil || len(item) == 0 || item[0] != '{' || d.bare() && e.ID == "" {
			bad++
			continue
		}
		var n int
		events, n = one(events, item, &e, now)
		bad += n
	}
	return events, bad
}

func one(events []bulwark.Event, data []byte, d *document, now time.Time) ([]bulwark.Event, int) {
	if len(data) > maxEvent {
		return events, 1
	}
	at := now
	for _, text := range []string{d.Received, d.Stage} {
		if t, err := time.Parse(time.RFC3339Nano, text); err == nil && t.Year() > 1970 && t.Year() < 2262 {
			at = t
		}
	}
	return append(events, bulwark.Event{Time: at.UnixNano(), Source: bulwark.SourceK8sAudit, Kind: bulwark.KindK8sAudit, FD: bulwark.FD{Num: -1}, Doc: data}), 0
}

// wanted tells whether anybody asks for events of the audit log.
func wanted(want bulwark.Interest) bool { return len(want[bulwark.KindK8sAudit]) > 0 }
