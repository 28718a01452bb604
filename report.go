package bulwark

// Report is a whole run: the json format, and what a saved run replays from.
type Report struct {
	Schema   string    `json:"schema"`
	Run      Run       `json:"run"`
	Assets   []Asset   `json:"assets"`
	Packages []Package `json:"packages"`
	Findings []Finding `json:"findings"`
	Advice   []Advice  `json:"advice,omitempty"`
	// Frameworks are those that were asked for, a result for each target.
	Frameworks []Framework `json:"frameworks,omitempty"`
	Notes      []Note      `json:"notes"`
	Summary    Summary     `json:"summary"`
}

var _ Handler = (*Report)(nil)

// Handle collects the record. It never fails.
func (r *Report) Handle(rec Record) error {
	switch {
	case rec.Run != nil:
		r.Schema, r.Run = Schema, *rec.Run
	case rec.Asset != nil:
		r.Assets = append(r.Assets, *rec.Asset)
	case rec.Package != nil:
		r.Packages = append(r.Packages, *rec.Package)
	case rec.Finding != nil:
		r.Findings = append(r.Findings, *rec.Finding)
	case rec.Advice != nil:
		r.Advice = append(r.Advice, *rec.Advice)
	case rec.Framework != nil:
		r.Frameworks = append(r.Frameworks, *rec.Framework)
	case rec.Note != nil:
		r.Notes = append(r.Notes, *rec.Note)
	case rec.Summary != nil:
		r.Summary = *rec.Summary
	}
	return nil
}

// Summarize sets the summary to what findings, packages and notes say.
func (r *Report) Summarize() {
	s := Summary{Complete: true, Counts: map[Severity]int{}, Packages: len(r.Packages)}
	for _, level := range Severities() {
		s.Counts[level] = 0
	}
	for i := range r.Notes {
		s.Complete = s.Complete && !r.Notes[i].Incomplete
	}
	vulns, unrated := 0, 0
	for i := range r.Findings {
		f := &r.Findings[i]
		if f.Exception != nil {
			s.Excepted++
			continue
		}
		s.Counts[f.Severity]++
		if f.Kind != KindVulnerability {
			continue
		}
		vulns++
		if f.Severity == SeverityUnknown {
			unrated++
		}
	}
	if vulns > 0 {
		s.Unrated = float64(unrated) / float64(vulns)
	}
	r.Summary = s
}

// Reporter is a handler that takes a run as a whole where somebody has it. It must not
// change the report.
type Reporter interface {
	Handler
	HandleReport(*Report) error
}

// Replay sends the report's records to h, in the order of a run, or the whole report to
// a [Reporter].
func (r *Report) Replay(h Handler) error {
	if whole, ok := h.(Reporter); ok {
		return whole.HandleReport(r)
	}
	records := make([]Record, 0, 2+len(r.Assets)+len(r.Packages)+len(r.Findings)+len(r.Advice)+len(r.Frameworks)+len(r.Notes))
	records = append(records, Record{Run: &r.Run})
	for i := range r.Assets {
		records = append(records, Record{Asset: &r.Assets[i]})
	}
	for i := range r.Packages {
		records = append(records, Record{Package: &r.Packages[i]})
	}
	for i := range r.Findings {
		records = append(records, Record{Finding: &r.Findings[i]})
	}
	for i := range r.Advice {
		records = append(records, Record{Advice: &r.Advice[i]})
	}
	for i := range r.Frameworks {
		records = append(records, Record{Framework: &r.Frameworks[i]})
	}
	for i := range r.Notes {
		records = append(records, Record{Note: &r.Notes[i]})
	}
	for _, rec := range append(records, Record{Summary: &r.Summary}) {
		if err := h.Handle(rec); err != nil {
			return err
		}
	}
	return nil
}
