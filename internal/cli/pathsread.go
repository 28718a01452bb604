package cli

import (
	"encoding/json"
	"fmt"
	"io"
	"os"

	"bulwark"
	"bulwark/internal/limit"
)

// maxRelations bounds a saved report with relations.
const maxRelations = 1 << 30

// readRelations takes the relations that a report of paths has; had is false for one that has
// none.
func readRelations(name string, in *gathered) (had bool, err error) {
	f, err := os.Open(name)
	if err != nil {
		return false, err
	}
	defer f.Close()
	var saved struct {
		Run       bulwark.Run        `json:"run"`
		Assets    []bulwark.Asset    `json:"assets"`
		Findings  []bulwark.Finding  `json:"findings"`
		Relations []bulwark.Relation `json:"relations"`
		Remedies  []bulwark.Remedy   `json:"remedies"`
		Notes     []bulwark.Note     `json:"notes"`
	}
	d := json.NewDecoder(limit.Reader(f, maxRelations, name))
	if err := d.Decode(&saved); err != nil {
		return false, fmt.Errorf("report %s: %w: %w", name, bulwark.ErrMalformed, err)
	}
	if _, err := d.Token(); err != io.EOF || saved.Relations == nil {
		return false, nil // a stream of records, or a report of a scan
	}
	for _, r := range saved.Relations {
		in.graph.Relation(r)
	}
	for _, r := range saved.Remedies {
		in.graph.Remedy(r)
	}
	in.report.Run = saved.Run
	in.report.Assets = append(in.report.Assets, saved.Assets...)
	in.report.Findings = append(in.report.Findings, saved.Findings...)
	in.weighed = len(in.report.Findings)
	in.report.Notes = append(in.report.Notes, saved.Notes...)
	return true, nil
}
