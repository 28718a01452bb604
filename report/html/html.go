// Package html writes a run as one self-contained page: nothing is loaded from
// anywhere, everything can be read and printed without JavaScript, and with it the
// tables can be sorted and filtered.
package html

import (
	"bufio"
	"crypto/sha256"
	_ "embed"
	"encoding/base64"
	"html/template"
	"io"
	"sync"

	"bulwark"
	"bulwark/report"
	"bulwark/report/internal/whole"
)

// Format describes the format.
func Format() report.Format {
	return report.Format{Name: "html", Summary: "One web page that needs nothing else, sortable and filterable.", Extension: ".html", New: New}
}

// New returns a handler that writes the run when it has its summary.
func New(w io.Writer, o report.Options) bulwark.Handler {
	return whole.Run(func(r *bulwark.Report) error {
		t, err := parsed()
		if err != nil {
			return err
		}
		bw := bufio.NewWriter(w)
		if err := t.Execute(bw, build(r, o)); err != nil {
			return err
		}
		return bw.Flush()
	})
}

var (
	//go:embed page.html.tmpl
	page string
	//go:embed page.css
	style string
	//go:embed page.js
	script string
)

var parsed = sync.OnceValues(func() (*template.Template, error) { return template.New("page").Parse(page) })

// policy lets the page use its own style and script, by their digests, and nothing else.
func policy() string {
	return "default-src 'none'; style-src '" + digest(style) + "'; script-src '" + digest(script) + "'; base-uri 'none'; form-action 'none'"
}

func digest(s string) string {
	sum := sha256.Sum256([]byte(s))
	return "sha256-" + base64.StdEncoding.EncodeToString(sum[:])
}
