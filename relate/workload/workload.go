// Package workload relates pods to what they hold and to the nodes below them: containers,
// accounts, volumes, secrets and what those open, and every setting that lets a container take
// its node.
//
// A setting is a relation for each cause that is enough alone: a container that is privileged
// and adds all capabilities loads a kernel module in two ways, and only both fixes stop it. A
// relation that needs several settings names the findings of all, and the fix of any removes
// it.
package workload

import (
	"context"
	"strconv"
	"strings"

	"bulwark"
	"bulwark/kube"
	"bulwark/relate/internal/found"
	"bulwark/relate/internal/name"
)

type relater struct{}

// New makes the relater.
func New() bulwark.Relater { return relater{} }

func (relater) Info() bulwark.Info {
	return bulwark.Info{Name: "relate/workload", Summary: "What pods hold, and how containers take their node", Version: 2}
}

func (relater) Relate(ctx context.Context, t *bulwark.Target, _ *bulwark.Inventory, findings []bulwark.Finding, to bulwark.Relations) error {
	s := kube.Of(t)
	if s.Len() == 0 {
		return nil
	}
	w := newWorld(s, found.New(findings), to)
	for _, one := range s.Workloads() {
		if err := ctx.Err(); err != nil {
			return err
		}
		p := &pods{Workload: one, world: w}
		p.relate()
	}
	w.shared()
	w.ground()
	return w.secrets(ctx)
}

// world is what the workloads of a target share.
type world struct {
	set    *kube.Set
	known  *found.Findings
	to     bulwark.Relations
	minor  int             // of the cluster's version, 1.minor; 0 when that is not known
	below  map[string]bool // nodes that pods run on
	adrift bool            // pods run on nodes that are not known
	users  map[bulwark.VertexID][]user
	order  []bulwark.VertexID // of users
	opened map[bulwark.VertexID]bool
	images map[string][]running // by registry
}

func newWorld(s *kube.Set, known *found.Findings, to bulwark.Relations) *world {
	w := &world{set: s, known: known, to: to, below: map[string]bool{}, users: map[bulwark.VertexID][]user{}, opened: map[bulwark.VertexID]bool{}, images: map[string][]running{}}
	if s.Cluster != nil {
		if _, rest, ok := strings.Cut(s.Cluster.Version, "."); ok {
			digits, _, _ := strings.Cut(rest, ".")
			w.minor, _ = strconv.Atoi(strings.TrimRight(digits, "+"))
		}
	}
	return w
}

// remedy gives a relation a remedy that is no finding's fix.
func (w *world) remedy(r *bulwark.Relation, id, text string) {
	w.to.Remedy(bulwark.Remedy{ID: id, Text: text, Fix: &bulwark.Fix{Text: text}})
	r.Remedies = append(r.Remedies, id)
}

// pods relates one workload.
type pods struct {
	*kube.Workload
	*world
	on      []string         // nodes; none: it is not known which
	nodes   bulwark.VertexID // see node
	volumes bulwark.VertexID // see held
	lying   bool             // the nodes lead to the volumes
	host    []hostMount      // folders of the node that the containers have
}

// passing is the chance that a container is there to be held which ends before the others
// begin.
const passing = 0.2

func (p *pods) relate() {
	p.land()
	p.host = p.hostMounts()
	told := &ends{Relations: p.to, to: map[bulwark.VertexID]map[bulwark.VertexID]bool{}}
	p.to = told
	for i := range p.Containers {
		c := &p.Containers[i]
		at := name.Container(p.Workload, c)
		r := bulwark.Relation{From: name.Workload(p.Workload), To: at, Type: "CONTAINER_ATTACH", Text: "is in the pod"}
		if passes(c) {
			r.Likelihood, r.Text = passing, "is in the pod, until the others begin"
		}
		p.to.Relation(r)
		p.identity(c, at)
		p.holds(c, at)
		p.escapes(c, at)
		p.neighbours(c, at)
		p.runs(c, at)
	}
	p.to = told.Relations
	p.speaks(told)
	p.pulls()
}

// passes tells whether a container ends before the others begin.
func passes(c *kube.Container) bool { return c.Init && !c.Sidecar() }

// ends keeps what each container leads to.
type ends struct {
	bulwark.Relations
	to map[bulwark.VertexID]map[bulwark.VertexID]bool
}

// Relation keeps where one leads, and hands it on.
func (e *ends) Relation(r bulwark.Relation) {
	if e.to[r.From] == nil {
		e.to[r.From] = map[bulwark.VertexID]bool{}
	}
	e.to[r.From][r.To] = true
	e.Relations.Relation(r)
}

// speaks relates a container to its pods, whose network it uses: where it has all that the
// others have, whoever holds it holds the pods. One that has less is not told to lead there,
// since the pods lead to the others.
func (p *pods) speaks(told *ends) {
	for i := range p.Containers {
		c := &p.Containers[i]
		at := name.Container(p.Workload, c)
		if !passes(c) && p.most(told, at) {
			p.to.Relation(bulwark.Relation{From: at, To: name.Workload(p.Workload), Type: "POD_NETWORK", Text: "sends and listens as the pod"})
		}
	}
}

// most tells whether a container leads wherever the others of the pods lead.
func (p *pods) most(told *ends, at bulwark.VertexID) bool {
	for i := range p.Containers {
		other := name.Container(p.Workload, &p.Containers[i])
		for to := range told.to[other] {
			if to != at && !told.to[at][to] {
				return false
			}
		}
	}
	return true
}

// at gives a relation the place of a field of the pods' spec, where it has none.
func (p *pods) at(r *bulwark.Relation, path ...any) {
	if r.Place != nil {
		return
	}
	if l := p.Place(p.Path(path...)...); l.File != "" {
		r.Place = &bulwark.Place{Path: l.File, Line: l.Line}
	}
}

func yes(b *bool) bool { return b != nil && *b }
func no(b *bool) bool  { return b != nil && !*b }
