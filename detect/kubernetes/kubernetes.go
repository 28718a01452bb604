// Package kubernetes finds in an API server's audit log who gets into pods, makes pods that can take their node, gives himself
// rights, or feels his way around.
package kubernetes

import (
	"fmt"
	"net/url"
	"strings"
	"time"

	"bulwark"
	"bulwark/detect/internal/family"
	"bulwark/detect/internal/recent"
	"bulwark/internal/telling"
)

// Detector looks at requests one by one, when they are answered.
type Detector struct {
	begun  *recent.Table[uint64, bool] // long requests that were told when they began, by id
	denied *recent.Table[uint64, refusals]
	found  []bulwark.Finding
}

// remembered is how many requests and users are kept.
const remembered = 4096

var (
	_ bulwark.Detector = (*Detector)(nil)
	_ bulwark.Ruler    = (*Detector)(nil)
)

// New makes the detector.
func New() *Detector {
	return &Detector{begun: recent.NewTable[uint64, bool](remembered), denied: recent.NewTable[uint64, refusals](remembered)}
}

// Info describes the detector.
func (*Detector) Info() bulwark.Info {
	return bulwark.Info{Name: "detect/kubernetes", Summary: "Finds misuse in the audit log of a Kubernetes API server.", Version: 1}
}

// Interest is all of the audit log.
func (*Detector) Interest() bulwark.Interest {
	return bulwark.Interest{bulwark.KindK8sAudit: {{}}}
}

// Observe looks at one event of the log. What cannot be read as one is passed over.
func (d *Detector) Observe(e *bulwark.Event) []bulwark.Finding {
	if e.Kind != bulwark.KindK8sAudit {
		return nil
	}
	r, ok := read(e.Doc)
	if !ok || !d.ends(r) {
		return nil
	}
	d.found = nil
	t := asking{d, r, e.Time}
	t.entered()
	t.made()
	t.bound()
	t.anonymous()
	t.refused()
	list := d.found
	d.found = nil
	return list
}

// ends tells whether a request is judged at this stage: when it is answered, and one that goes on when it begins.
func (d *Detector) ends(r *request) bool {
	switch r.Stage {
	case "ResponseComplete", "Panic":
		return r.AuditID == "" || d.begun.Get(recent.HashString(r.AuditID)) == nil
	case "ResponseStarted":
		if r.AuditID == "" || r.ObjectRef.Subresource == "" {
			return false // a watch: it ends some time
		}
		*d.begun.Of(recent.HashString(r.AuditID)) = true
		return true
	}
	return false
}

// asking is one request with who is told of it.
type asking struct {
	*Detector
	*request
	at int64
}

// tell makes a finding. What it is about the engine reads of the request.
func (t asking) tell(rule string, s bulwark.Severity, evidence ...string) *bulwark.Finding {
	r := rules[rule]
	f := bulwark.Finding{
		Kind: bulwark.KindRuntime, Rule: "kubernetes/" + rule, Severity: min(s, r.Severity), Title: r.Title, Time: time.Unix(0, t.at).UTC(),
		Fix: &bulwark.Fix{Text: r.fix}, References: r.references, Tags: r.Tags, Evidence: []string{family.Clean(t.who())},
	}
	for _, line := range evidence {
		f.Evidence = append(f.Evidence, family.Clean(line))
	}
	t.found = append(t.found, f)
	return &t.found[len(t.found)-1]
}

// who says who asked, from where, by which program, and what came of it.
func (t asking) who() string {
	line := fmt.Sprintf("%s asks to %s %s", t.user(), t.Verb, t.object())
	if t.User.Username != t.user() {
		line += ", as " + t.User.Username + " may"
	}
	if len(t.SourceIPs) > 0 {
		line += ", from " + t.SourceIPs[0]
	}
	if t.UserAgent != "" {
		line += " by " + t.UserAgent
	}
	if !t.granted() {
		line += fmt.Sprintf(", refused with %d", t.ResponseStatus.Code)
	}
	return line
}

// entered tells of commands and containers that are brought into pods.
func (t asking) entered() {
	if t.ObjectRef.Resource != "pods" || t.dry() || !t.granted() {
		return
	}
	switch t.ObjectRef.Subresource {
	case "exec", "attach":
		t.executed()
	case "ephemeralcontainers":
		if changes(t.Verb) {
			t.debugged()
		}
	}
}

func (t asking) executed() {
	_, query, _ := strings.Cut(t.RequestURI, "?")
	q, _ := url.ParseQuery(query)
	s, line := bulwark.SeverityLow, "command: "+telling.Mask(strings.Join(q["command"], " "))
	if t.ObjectRef.Subresource == "attach" {
		line = "attached to the process that runs there"
	}
	if c := q.Get("container"); c != "" {
		line += ", container " + c
	}
	if q.Get("tty") == "true" || q.Get("stdin") == "true" {
		s, line = bulwark.SeverityMedium, line+", interactive"
	}
	t.tell("exec", s, line)
}

func (t asking) debugged() {
	s := bulwark.SeverityMedium
	var why []string
	for _, c := range t.added() {
		line := "container " + c.Name + ", image " + c.Image
		if reach := c.reach(); reach != "" {
			s, line = bulwark.SeverityHigh, line+", "+reach
		}
		why = append(why, line)
	}
	t.tell("ephemeral-container", s, why...)
}

// made tells of pods, and of what makes pods, that can take their node.
func (t asking) made() {
	if !templates[t.ObjectRef.Resource] || t.ObjectRef.Subresource != "" || !changes(t.Verb) || t.dry() || t.controller() {
		return
	}
	why := t.reach()
	if len(why) == 0 {
		return
	}
	s := bulwark.SeverityHigh
	if !t.granted() {
		s = bulwark.SeverityLow
	}
	t.tell("node-pod", s, why...)
}

// bound tells of rights over all that are given.
func (t asking) bound() {
	if t.ObjectRef.Resource != "clusterrolebindings" || !changes(t.Verb) || t.dry() || !t.granted() || t.User.Username == "system:apiserver" {
		return
	}
	role, subjects := t.binding()
	if role != "cluster-admin" && role != "system:masters" {
		return
	}
	t.tell("cluster-admin", bulwark.SeverityHigh, "bound to "+role+": "+strings.Join(subjects, ", "))
}

// open are paths that are for everybody.
var open = []string{"/healthz", "/livez", "/readyz", "/version", "/.well-known/", "/openid/", "/api/v1/namespaces/kube-public/configmaps/cluster-info"}

// anonymous tells of answers to nobody in particular.
func (t asking) anonymous() {
	if t.User.Username != "system:anonymous" || !t.granted() {
		return
	}
	for _, path := range open {
		if strings.HasPrefix(t.RequestURI, path) {
			return
		}
	}
	uri, _, _ := strings.Cut(t.RequestURI, "?")
	t.tell("anonymous", bulwark.SeverityHigh, "the API server answers "+uri)
}

// refusals are what one user was denied lately.
type refusals struct {
	since int64
	count int
	seen  []uint64 // resources, by hash
	told  bool
}

const (
	manyRefusals  = 20
	manyResources = 5
	refusedWithin = int64(time.Minute)
)

// refused tells of who is denied many different things within a minute.
func (t asking) refused() {
	if t.ResponseStatus.Code != 403 || t.ObjectRef.Resource == "" {
		return
	}
	one := t.denied.Of(recent.HashString(t.user()))
	if t.at-one.since > refusedWithin || t.at < one.since {
		*one = refusals{since: t.at}
	}
	one.count++
	what := recent.HashString(t.Verb + " " + t.ObjectRef.Namespace + "/" + t.ObjectRef.Resource + "/" + t.ObjectRef.Subresource)
	known := false
	for _, h := range one.seen {
		known = known || h == what
	}
	if !known && len(one.seen) < manyResources {
		one.seen = append(one.seen, what)
	}
	if one.count < manyRefusals || len(one.seen) < manyResources || one.told {
		return
	}
	one.told = true
	t.tell("probing", bulwark.SeverityMedium, fmt.Sprintf("%d requests of %s for %d sorts of objects and more were denied within a minute", one.count, t.user(), manyResources)).Subject = family.Clean(t.user())
}
