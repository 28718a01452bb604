package vuln

import (
	"cmp"
	"slices"
	"strconv"
	"strings"
	"unicode"

	"bulwark"
	"bulwark/advisory"
)

// problem is one vulnerability of what a question asked about: all that its findings
// share. Nothing of it points into the database.
type problem struct {
	id         string
	rule       string
	key        string // what names it in finding keys
	title      string // empty: made from the package
	aliases    []string
	cves       []string
	fixed      []string
	references []string
	imports    []advisory.Import
	severity   bulwark.Severity
	cvss       *bulwark.CVSS
	epss       *bulwark.EPSS
	kev        bool
	// riskUnknown is the risk where it is not known whether the package is in use.
	riskUnknown int
}

// answerer answers questions, one at a time.
type answerer struct {
	db   advisories
	hits []advisory.Hit
	text strings.Builder // where strings are copied to
	free []string        // where lists of them are taken from
}

func (a *answerer) answer(q *question) ([]problem, error) {
	a.hits = a.hits[:0]
	var err error
	for _, query := range q.queries {
		if a.hits, err = a.db.Match(a.hits, query); err != nil {
			return nil, err
		}
	}
	if len(a.hits) == 0 {
		return nil, nil
	}
	groups := merge(a.hits, q.distribution)
	problems := make([]problem, len(groups))
	for i, g := range groups {
		a.problem(&problems[i], g)
	}
	nameKeys(problems)
	return problems, nil
}

// nameKeys names each problem by its lowest CVE, or its id when it has none. Where
// several records of one package come to the same name, the one that covers the fewest
// CVEs keeps it and the others (a DSA on several) go by their ids, so that keys stay
// distinct.
func nameKeys(problems []problem) {
	order := make([]*problem, len(problems))
	for i := range problems {
		p := &problems[i]
		order[i], p.key = p, p.id
		if len(p.cves) > 0 {
			p.key = p.cves[0]
		}
	}
	slices.SortStableFunc(order, func(a, b *problem) int {
		return cmp.Or(strings.Compare(a.key, b.key), cmp.Compare(len(a.cves), len(b.cves)))
	})
	last := ""
	for _, p := range order {
		name := p.key
		if name == last {
			p.key = p.id
		}
		last = name
	}
}

func (a *answerer) problem(p *problem, g group) {
	p.rule = a.copy("vuln/", g.lead.ID)
	p.id = p.rule[len("vuln/"):]
	p.title = a.copy(oneLine(g.lead.Summary))
	p.fixed = a.copies(g.lead.Fixed)
	p.imports = a.imports(g.lead.Imports)
	a.room(p, g)
	a.names(p, g.lead)
	a.rate(p, g.lead)
	for _, h := range g.others {
		p.aliases = append(p.aliases, a.copy(h.ID))
		a.names(p, h)
		a.rate(p, h)
		if p.title == "" {
			p.title = a.copy(oneLine(h.Summary))
		}
		if len(p.fixed) == 0 {
			p.fixed = a.copies(h.Fixed)
		}
		if len(p.imports) == 0 {
			p.imports = a.imports(h.Imports)
		}
	}
	p.aliases = settle(p.aliases, strings.Compare)
	p.aliases = slices.DeleteFunc(p.aliases, func(id string) bool { return id == p.id })
	p.cves = settle(p.cves, compareCVE)
	a.known(p)
	p.references = a.references(p)
	p.riskUnknown = p.risk(nil)
}

// room makes the lists for the names of a group long enough.
func (a *answerer) room(p *problem, g group) {
	aliases, cves := 0, 0
	count := func(h *advisory.Hit) {
		n := len(h.Aliases) + len(h.Upstream)
		aliases += n + 1
		cves += n + 1 + len(h.Related)
	}
	count(g.lead)
	for _, h := range g.others {
		count(h)
	}
	p.aliases, p.cves = a.list(aliases), a.list(cves)
}

// names adds the ids that a record goes by.
func (a *answerer) names(p *problem, h *advisory.Hit) {
	for _, id := range same(h) {
		p.aliases = append(p.aliases, a.copy(id))
	}
	if isCVE(h.ID) {
		p.cves = append(p.cves, a.copy(h.ID))
	}
	for _, ids := range [...][]string{h.Aliases, h.Upstream, h.Related} {
		for _, id := range ids {
			if isCVE(id) {
				p.cves = append(p.cves, a.copy(id))
			}
		}
	}
}

// rate takes the record's own rating, else that of its CVSS, where the records before it
// gave none.
func (a *answerer) rate(p *problem, h *advisory.Hit) {
	if p.cvss == nil {
		p.cvss = a.score(h.CVSS)
	}
	if p.severity == bulwark.SeverityUnknown {
		p.severity = h.Severity
	}
	if p.severity == bulwark.SeverityUnknown && p.cvss != nil {
		p.severity = bulwark.SeverityOfScore(p.cvss.Score)
	}
}

// score is the last vector that can be read: the newest CVSS version.
func (a *answerer) score(vectors []string) *bulwark.CVSS {
	for _, v := range slices.Backward(vectors) {
		if score, err := advisory.Score(v); err == nil {
			return &bulwark.CVSS{Vector: a.copy(v), Score: score}
		}
	}
	return nil
}

// known adds what is known of the problem's CVEs: exploitation and, where the
// records have no rating, that of other records of the same CVE.
func (a *answerer) known(p *problem) {
	rated := p.severity != bulwark.SeverityUnknown
	for _, cve := range p.cves {
		if _, ok := a.db.KEV(cve); ok {
			p.kev = true
		}
		if e, ok := a.db.EPSS(cve); ok && (p.epss == nil || e.Score > p.epss.Score) {
			p.epss = &bulwark.EPSS{Score: e.Score, Percentile: e.Percentile}
		}
		if rated && p.cvss != nil {
			continue
		}
		severity, cvss := a.db.ByCVE(cve)
		if !rated && cvss != nil {
			severity = max(severity, bulwark.SeverityOfScore(cvss.Score))
		}
		if !rated && severity > p.severity {
			p.severity = severity
		}
		if cvss != nil && (p.cvss == nil || !rated && cvss.Score > p.cvss.Score) {
			p.cvss = &bulwark.CVSS{Vector: a.copy(cvss.Vector), Score: cvss.Score}
		}
	}
}

func (a *answerer) imports(from []advisory.Import) []advisory.Import {
	if len(from) == 0 {
		return nil
	}
	out := make([]advisory.Import, len(from))
	for i, f := range from {
		out[i] = advisory.Import{Path: a.copy(f.Path), Symbols: a.copies(f.Symbols), GOOS: a.copies(f.GOOS), GOARCH: a.copies(f.GOARCH)}
	}
	return out
}

// copy makes s independent of the database's memory. The copies of many strings share
// one piece of memory.
func (a *answerer) copy(parts ...string) string {
	n := 0
	for _, s := range parts {
		n += len(s)
	}
	if n == 0 {
		return ""
	}
	if a.text.Cap()-a.text.Len() < n {
		a.text = strings.Builder{}
		a.text.Grow(max(32<<10, n))
	}
	start := a.text.Len()
	for _, s := range parts {
		a.text.WriteString(s)
	}
	return a.text.String()[start:]
}

// list is an empty list with room for n strings; lists share memory as copies do.
func (a *answerer) list(n int) []string {
	if a.free == nil || len(a.free) < n {
		a.free = make([]string, max(1024, n))
	}
	l := a.free[:0:n]
	a.free = a.free[n:]
	return l
}

// copies never gives nil: the report shows an empty list.
func (a *answerer) copies(ss []string) []string {
	out := a.list(len(ss))
	for _, s := range ss {
		out = append(out, a.copy(s))
	}
	return out
}

func settle(ids []string, compare func(a, b string) int) []string {
	if len(ids) > 1 {
		slices.SortFunc(ids, compare)
	}
	return slices.Compact(ids)
}

func isCVE(id string) bool { return strings.HasPrefix(id, "CVE-") }

// compareCVE orders by year and number, so that CVE-2021-9 comes before CVE-2021-44228.
func compareCVE(a, b string) int {
	ya, na := splitCVE(a)
	yb, nb := splitCVE(b)
	return cmp.Or(cmp.Compare(ya, yb), cmp.Compare(na, nb), strings.Compare(a, b))
}

func splitCVE(id string) (year, number uint64) {
	y, n, _ := strings.Cut(strings.TrimPrefix(id, "CVE-"), "-")
	year, _ = strconv.ParseUint(y, 10, 64) // what is no number comes first
	number, _ = strconv.ParseUint(n, 10, 64)
	return year, number
}

// oneLine is foreign text without line breaks and control characters.
func oneLine(s string) string {
	if !strings.ContainsFunc(s, func(r rune) bool { return !unicode.IsPrint(r) }) {
		return s
	}
	s = strings.Map(func(r rune) rune {
		switch {
		case unicode.IsSpace(r):
			return ' '
		case !unicode.IsPrint(r):
			return -1
		}
		return r
	}, s)
	return strings.Join(strings.Fields(s), " ")
}
