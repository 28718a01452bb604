package markdown

import (
	"strings"

	"bulwark/report/internal/compliance"
)

// frameworks writes a table of controls for each framework, those that failed first.
func (p *printer) frameworks() {
	for i := range p.run.Frameworks {
		f := &p.run.Frameworks[i]
		p.line("# %s\n", esc(strings.TrimSpace(f.Title+" "+f.Version)))
		p.line("%s\n\n%s\n", esc(string(f.Asset)), esc(compliance.Words(f.Score)))
		p.line("| section | score | pass | fail | manual | not applicable |\n| --- | ---: | ---: | ---: | ---: | ---: |")
		for _, s := range f.Sections {
			p.line("| %s | %s | %d | %d | %d | %d |", esc(compliance.Section(s)), compliance.Percent(s.Score), s.Score.Passed, s.Score.Failed, s.Score.Manual, s.Score.NotApplicable)
		}
		p.line("\n| status | control | what | seen |\n| --- | --- | --- | --- |")
		for _, c := range compliance.Sorted(f) {
			p.line("| %s | %s | %s | %s |", esc(c.Status), esc(c.ID), esc(c.Title), esc(compliance.Seen(c)))
		}
		p.line("")
	}
}
