package vuln

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"

	"bulwark"
	"bulwark/advisory"
	"bulwark/check/internal/scope"
	"bulwark/internal/purl"
)

// question is what is asked of the database, in the order of preference: the answers
// are put together.
type question struct {
	queries      []advisory.Query
	distribution bool // its records lead
}

// subject is what findings are about: all packages with one package URL.
type subject struct {
	question int
	packages []*bulwark.Package // at least one, by path
	// What follows is set by settle.
	identity string // of the package URL, for keys
	places   []bulwark.Place
}

// plan is what to ask, about what, and what cannot be asked.
type plan struct {
	questions []question
	subjects  []subject
	notes     []bulwark.Note
}

// planner sorts packages into subjects and questions.
type planner struct {
	db    advisories
	scope *scope.Scope
	plan  plan

	has      map[string]bool
	byPURL   map[string]int
	byQuery  map[advisory.Query]int
	unknown  map[string]int // packages by ecosystem without advisories
	versions int            // packages without a version
	unplaced []string       // packages whose version cannot be compared with others
	shadowed int
}

func (c *Check) plan(t *bulwark.Target, inv *bulwark.Inventory) plan {
	p := planner{
		db: c.db, scope: scope.Of(t, inv),
		has: map[string]bool{}, byPURL: make(map[string]int, len(inv.Packages)),
		byQuery: make(map[advisory.Query]int, len(inv.Packages)), unknown: map[string]int{},
	}
	owner := p.known(p.scope.Distribution)
	for i := range inv.Packages {
		pkg := &inv.Packages[i]
		if !p.judged(pkg, inv, owner) {
			continue
		}
		p.add(pkg)
	}
	p.finish(inv)
	return p.plan
}

// judged tells whether advisories are asked about a package, and counts why not.
func (p *planner) judged(pkg *bulwark.Package, inv *bulwark.Inventory, owner bool) bool {
	distro := p.scope.IsDistribution(pkg.Ecosystem)
	switch {
	case pkg.Ecosystem == "":
		if scope.OfDistribution(pkg) {
			p.unknown[releaseName(pkg, inv)]++
		}
		return false
	case !distro && pkg.OwnedBy != "" && owner:
		return false // the distribution fixes it, and its advisories say so
	case p.scope.Shadowed(pkg):
		p.shadowed++
		return false
	case !p.known(pkg.Ecosystem):
		p.unknown[pkg.Ecosystem]++
		return false
	case pkg.Version == "":
		p.versions++
		return false
	case !advisory.Placed(advisory.Query{Ecosystem: pkg.Ecosystem, Name: pkg.Name, Version: pkg.Version}):
		p.unplaced = append(p.unplaced, oneLine(pkg.Name+" "+pkg.Version))
	}
	return true
}

// known tells whether there are advisories for an ecosystem.
func (p *planner) known(eco string) bool {
	has, ok := p.has[eco]
	if !ok {
		has = scope.Has(p.db.Has, eco)
		p.has[eco] = has
	}
	return has
}

// releaseName is what a distribution without ecosystem is called in a note.
func releaseName(pkg *bulwark.Package, inv *bulwark.Inventory) string {
	if r := inv.Release; r != nil && r.ID != "" {
		return strings.TrimSpace(r.ID + " " + r.VersionID)
	}
	if u, err := purl.Parse(pkg.PURL); err == nil {
		return cmp.Or(u.Qualifiers["distro"], u.Namespace, u.Type+" packages of an unknown distribution")
	}
	return "packages of an unknown distribution"
}

func (p *planner) add(pkg *bulwark.Package) {
	i, ok := p.byPURL[pkg.PURL]
	if !ok {
		i = len(p.plan.subjects)
		p.byPURL[pkg.PURL] = i
		p.plan.subjects = append(p.plan.subjects, subject{question: p.ask(pkg)})
	}
	s := &p.plan.subjects[i]
	s.packages = append(s.packages, pkg)
}

// ask gives the index of the question about a package.
func (p *planner) ask(pkg *bulwark.Package) int {
	first, second := sourceQuery(pkg)
	i, ok := p.byQuery[first]
	if ok && second.Name == "" {
		return i
	}
	q := question{distribution: p.scope.IsDistribution(pkg.Ecosystem)}
	for _, one := range []advisory.Query{first, second} {
		if one.Name == "" {
			continue
		}
		for _, eco := range scope.Ecosystems(one.Ecosystem) {
			one.Ecosystem = eco
			q.queries = append(q.queries, one)
		}
	}
	i = len(p.plan.questions)
	p.plan.questions = append(p.plan.questions, q)
	if second.Name == "" {
		p.byQuery[first] = i
	}
	return i
}

// sourceQuery is what a package's advisories are filed under: for distributions its
// source package, for the others its own name. The second query is empty for all but
// the distributions whose advisories name both source and binary packages.
func sourceQuery(pkg *bulwark.Package) (first, second advisory.Query) {
	own := advisory.Query{Ecosystem: pkg.Ecosystem, Name: pkg.Name, Version: pkg.Version}
	if pkg.Source == nil || pkg.Source.Name == "" {
		return own, second
	}
	source := own
	source.Name = pkg.Source.Name
	switch pkg.Format {
	case "apk": // the packages of an origin are built together and share its version
		return source, second
	case "rpm":
		source.Version = rpmVersion(pkg)
	default:
		source.Version = cmp.Or(pkg.Source.Version, pkg.Version)
	}
	base, _, _ := strings.Cut(pkg.Ecosystem, ":")
	switch base {
	case "AlmaLinux", "Red Hat": // their advisories list binary packages
		return own, second
	case "Rocky Linux":
		if source != own {
			return own, source
		}
	}
	return source, second
}

// rpmVersion is the version of the source package with the epoch, which the name of
// the source package file leaves out and all packages built from it usually share.
func rpmVersion(pkg *bulwark.Package) string {
	if pkg.Source.Version == "" || strings.Contains(pkg.Source.Version, ":") {
		return cmp.Or(pkg.Source.Version, pkg.Version)
	}
	if epoch, _, ok := strings.Cut(pkg.Version, ":"); ok {
		return epoch + ":" + pkg.Source.Version
	}
	return pkg.Source.Version
}

// finish writes the notes.
func (p *planner) finish(inv *bulwark.Inventory) {
	for _, eco := range slices.Sorted(maps.Keys(p.unknown)) {
		p.note(true, "no advisories for %s: %s not judged", eco, were(p.unknown[eco]))
	}
	if p.versions > 0 {
		p.note(false, "%s not judged, for lack of a version", were(p.versions))
	}
	if n := len(p.unplaced); n > 0 {
		p.note(false, "%s not compared with ranges of versions, because theirs has no order: %s", were(n), some(p.unplaced))
	}
	if p.shadowed > 0 {
		p.note(false, "%s left out that only a lockfile names: what is installed counts", were(p.shadowed))
	}
	if r := inv.Release; r != nil && len(inv.Packages) == 0 && !p.known(p.scope.Distribution) {
		p.note(true, "no advisories for %s %s", r.ID, r.VersionID)
	}
}

func (p *planner) note(incomplete bool, format string, args ...any) {
	p.plan.notes = append(p.plan.notes, bulwark.Note{Plugin: name, Text: fmt.Sprintf(format, args...), Incomplete: incomplete})
}

func were(n int) string {
	if n == 1 {
		return "1 package was"
	}
	return fmt.Sprintf("%d packages were", n)
}

// some names the first few in the order of their names.
func some(names []string) string {
	const most = 3
	slices.Sort(names)
	names = slices.Compact(names)
	if len(names) > most {
		return strings.Join(names[:most], ", ") + ", ..."
	}
	return strings.Join(names, ", ")
}

// settle puts the packages in order of their paths, and sets identity and places.
func (s *subject) settle() {
	slices.SortStableFunc(s.packages, func(a, b *bulwark.Package) int {
		return cmp.Or(strings.Compare(a.Path, b.Path), strings.Compare(a.Layer, b.Layer))
	})
	s.identity = purl.Identity(s.packages[0].PURL)
	for _, p := range s.packages {
		place := bulwark.Place{Path: p.Path, Layer: p.Layer}
		if p.Path != "" && (len(s.places) == 0 || s.places[len(s.places)-1] != place) {
			s.places = append(s.places, place)
		}
	}
}
