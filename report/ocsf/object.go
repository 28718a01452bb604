package ocsf

import (
	"strconv"
	"strings"

	"bulwark"
	"bulwark/report/internal/incident"
)

// The objects of the schema, as far as findings fill them.

type event struct {
	Activity     int    `json:"activity_id"`
	ActivityName string `json:"activity_name"`
	Category     int    `json:"category_uid"`
	CategoryName string `json:"category_name"`
	Class        int    `json:"class_uid"`
	ClassName    string `json:"class_name"`
	Type         int    `json:"type_uid"`
	TypeName     string `json:"type_name"`
	SeverityID   int    `json:"severity_id"`
	Severity     string `json:"severity"`
	StatusID     int    `json:"status_id"`
	Status       string `json:"status"`
	StatusDetail string `json:"status_detail,omitempty"`
	outcome
	Time        int64        `json:"time"`
	Start       int64        `json:"start_time"`
	End         int64        `json:"end_time"`
	Count       int          `json:"count"`
	Message     string       `json:"message"`
	IsAlert     bool         `json:"is_alert"`
	Risk        int          `json:"risk_score,omitempty"`
	Info        findingInfo  `json:"finding_info"`
	Evidences   []evidence   `json:"evidences,omitempty"`
	Resources   []resource   `json:"resources,omitempty"`
	Remediation *remediation `json:"remediation,omitempty"`
	Device      *device      `json:"device,omitempty"`
	Metadata    metadata     `json:"metadata"`
}

// outcome is what a security control made of it, as the profile of that name has it. The numbers are the schema's.
type outcome struct {
	Action          int    `json:"action_id"`
	ActionName      string `json:"action"`
	Disposition     int    `json:"disposition_id"`
	DispositionName string `json:"disposition"`
}

type metadata struct {
	Version  string   `json:"version"`
	Product  product  `json:"product"`
	UID      string   `json:"uid"`
	Original string   `json:"original_time"`
	Profiles []string `json:"profiles"`
}

type product struct {
	Name    string `json:"name"`
	Vendor  string `json:"vendor_name"`
	Version string `json:"version,omitempty"`
}

type findingInfo struct {
	UID       string   `json:"uid"`
	Key       string   `json:"uid_alt,omitempty"` // the same on every asset
	Title     string   `json:"title"`
	Desc      string   `json:"desc,omitempty"`
	Types     []string `json:"types"`
	First     int64    `json:"first_seen_time"`
	Last      int64    `json:"last_seen_time"`
	Created   int64    `json:"created_time"`
	Analytic  analytic `json:"analytic"`
	Attacks   []attack `json:"attacks,omitempty"`
	Sources   []string `json:"data_sources"`
	Tags      []tag    `json:"tags,omitempty"`
	Reference string   `json:"src_url,omitempty"`
}

type analytic struct {
	UID    string `json:"uid"`
	Name   string `json:"name"`
	TypeID int    `json:"type_id"` // 1: rule
	Type   string `json:"type"`
}

type attack struct {
	Tactic    *named `json:"tactic,omitempty"`
	Technique *named `json:"technique,omitempty"`
	Sub       *named `json:"sub_technique,omitempty"`
}

type named struct {
	UID  string `json:"uid"`
	Name string `json:"name,omitempty"`
}

type tag struct {
	Name   string   `json:"name"`
	Values []string `json:"values"`
}

type evidence struct {
	Actor     *actor     `json:"actor,omitempty"`
	Process   *process   `json:"process,omitempty"`
	Container *container `json:"container,omitempty"`
	Device    *device    `json:"device,omitempty"`
	Data      *data      `json:"data,omitempty"`
}

type data struct {
	Evidence []string       `json:"evidence,omitempty"`
	Fields   map[string]any `json:"fields,omitempty"`
}

type actor struct {
	Process *process `json:"process,omitempty"`
	User    *user    `json:"user,omitempty"`
}

type user struct {
	Name string `json:"name,omitempty"`
	UID  string `json:"uid"`
}

type process struct {
	Name      string     `json:"name"`
	PID       int        `json:"pid"`
	Command   string     `json:"cmd_line,omitempty"`
	Path      string     `json:"path,omitempty"`
	Directory string     `json:"working_directory,omitempty"`
	Created   int64      `json:"created_time,omitempty"`
	User      *user      `json:"user,omitempty"`
	File      *file      `json:"file,omitempty"`
	Container *container `json:"container,omitempty"`
	Parent    *process   `json:"parent_process,omitempty"`
	Ancestry  []ancestor `json:"ancestry,omitempty"`
}

type ancestor struct {
	Name    string `json:"name"`
	PID     int    `json:"pid"`
	Command string `json:"cmd_line,omitempty"`
	Path    string `json:"path,omitempty"`
	Created int64  `json:"created_time,omitempty"`
}

type file struct {
	Name   string `json:"name"`
	Path   string `json:"path"`
	TypeID int    `json:"type_id"` // 1: a regular file
	Type   string `json:"type"`
}

type container struct {
	UID          string `json:"uid"`
	Name         string `json:"name,omitempty"`
	Image        *image `json:"image,omitempty"`
	Runtime      string `json:"runtime,omitempty"`
	Orchestrator string `json:"orchestrator,omitempty"`
}

type image struct {
	UID  string `json:"uid"`
	Name string `json:"name,omitempty"`
}

type device struct {
	Hostname string `json:"hostname"`
	Name     string `json:"name"`
	TypeID   int    `json:"type_id"`
	Type     string `json:"type"`
}

type resource struct {
	UID       string `json:"uid,omitempty"`
	Name      string `json:"name,omitempty"`
	Type      string `json:"type"`
	Namespace string `json:"namespace,omitempty"`
}

type remediation struct {
	Desc       string   `json:"desc"`
	References []string `json:"references,omitempty"`
}

// outcomeOf tells what was done beside telling. What was ended or frozen had begun, and is denied from then on.
func outcomeOf(r *bulwark.Response) outcome {
	switch {
	case r == nil:
		return outcome{3, "Observed", 15, "Detected"}
	case r.Done && r.Action == "freeze":
		return outcome{2, "Denied", 4, "Isolated"}
	case r.Done:
		return outcome{2, "Denied", 2, "Blocked"}
	case r.Action == "deny":
		return outcome{1, "Allowed", 1, "Allowed"} // a guard could not decide in time, and let it pass
	}
	return outcome{1, "Allowed", 16, "No Action"}
}

func info(f *bulwark.Finding, first, last int64) findingInfo {
	i := findingInfo{
		UID: problem(f), Key: f.Key, Title: f.Title, Desc: strings.Join(f.Evidence, "\n"), Types: []string{f.Kind}, First: first, Last: last, Created: first,
		Analytic: analytic{UID: f.Rule, Name: incident.Rule(f), TypeID: 1, Type: "Rule"}, Sources: []string{incident.Source(f)},
	}
	if i.Title == "" {
		i.Title = incident.Rule(f)
	}
	if len(f.References) > 0 {
		i.Reference = f.References[0]
	}
	for _, a := range incident.Attacks(f.Tags) {
		i.Attacks = append(i.Attacks, attacked(a))
	}
	if len(f.Tags) > 0 {
		i.Tags = []tag{{Name: "tags", Values: f.Tags}}
	}
	return i
}

func attacked(a incident.Attack) attack {
	var t attack
	if a.Technique != "" {
		t.Technique = &named{UID: a.Technique}
	}
	if a.SubTechnique != "" {
		t.Sub = &named{UID: a.SubTechnique}
	}
	if a.Tactic != "" {
		t.Tactic = &named{UID: a.Tactic, Name: incident.TacticName(a.Tactic)}
	}
	return t
}

// evidences is one: what one event showed.
func (h *handler) evidences(f *bulwark.Finding) []evidence {
	e := evidence{Container: contained(f.Container), Device: h.device(), Data: said(f)}
	if p := f.Process; p != nil {
		e.Process = running(p)
		e.Process.Container = e.Container
		e.Actor = &actor{Process: e.Process, User: e.Process.User}
	}
	return []evidence{e}
}

// said is what has no place of its own.
func said(f *bulwark.Finding) *data {
	d := data{Evidence: f.Evidence}
	if f.Alert != nil && len(f.Alert.Fields) > 0 {
		d.Fields = map[string]any{}
		for _, field := range f.Alert.Fields {
			d.Fields[field.Name] = field.Value
		}
	}
	if d.Evidence == nil && d.Fields == nil {
		return nil
	}
	return &d
}

func running(p *bulwark.ProcessRef) *process {
	r := one(p)
	for i := range p.Parents {
		parent := &p.Parents[i]
		r.Ancestry = append(r.Ancestry, ancestor{Name: parent.Name, PID: parent.PID, Command: incident.Command(parent), Path: parent.Path, Created: started(parent)})
	}
	if len(p.Parents) > 0 {
		r.Parent = one(&p.Parents[0])
	}
	return r
}

func one(p *bulwark.ProcessRef) *process {
	r := &process{Name: p.Name, PID: p.PID, Command: incident.Command(p), Path: p.Path, Directory: p.CWD, Created: started(p),
		User: &user{Name: p.User, UID: strconv.FormatUint(uint64(p.UID), 10)}}
	if p.Path != "" {
		r.File = &file{Name: p.Path[strings.LastIndexByte(p.Path, '/')+1:], Path: p.Path, TypeID: 1, Type: "Regular File"}
	}
	return r
}

func started(p *bulwark.ProcessRef) int64 {
	if p.Start.IsZero() {
		return 0
	}
	return p.Start.UnixMilli()
}

func contained(c *bulwark.ContainerRef) *container {
	if c == nil {
		return nil
	}
	r := &container{UID: c.ID, Name: c.Name, Runtime: c.Engine}
	if c.Pod != "" {
		r.Orchestrator = "Kubernetes"
	}
	if c.Image == "" && c.Digest == "" {
		return r
	}
	r.Image = &image{UID: c.Digest, Name: c.Image}
	if r.Image.UID == "" {
		r.Image.UID = c.Image
	}
	return r
}

func resources(f *bulwark.Finding) []resource {
	var list []resource
	if c := f.Container; c != nil {
		if c.Pod != "" {
			list = append(list, resource{Name: c.Pod, Type: "Pod", Namespace: c.Namespace})
		}
		list = append(list, resource{UID: c.ID, Name: c.Name, Type: "Container"})
	}
	if f.Asset != "" {
		list = append(list, resource{UID: string(f.Asset), Type: "Asset"})
	}
	return list
}
