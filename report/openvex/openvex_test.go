package openvex_test

import (
	"bytes"
	"encoding/json"
	"slices"
	"testing"

	"bulwark"
	"bulwark/report"
	"bulwark/report/internal/golden"
	"bulwark/report/internal/sample"
	"bulwark/report/openvex"
)

func write(t *testing.T, r *bulwark.Report) []byte {
	t.Helper()
	var buf bytes.Buffer
	if err := r.Replay(openvex.New(&buf, report.Options{})); err != nil {
		t.Fatal(err)
	}
	return buf.Bytes()
}

type statement struct {
	Vulnerability struct {
		Name    string
		Aliases []string
	}
	Products []struct {
		ID string `json:"@id"`
	}
	Status        string
	Justification string
	Impact        string `json:"impact_statement"`
	Action        string `json:"action_statement"`
	Notes         string `json:"status_notes"`
}

// read holds a document to the rules of the specification, 0.2.0.
func read(t *testing.T, b []byte) map[string]statement {
	t.Helper()
	var doc struct {
		Context    string `json:"@context"`
		ID         string `json:"@id"`
		Author     string
		Timestamp  string
		Version    int
		Statements []statement
	}
	if err := json.Unmarshal(b, &doc); err != nil {
		t.Fatal(err)
	}
	if doc.Context != "https://openvex.dev/ns/v0.2.0" || doc.ID == "" || doc.Author == "" || doc.Timestamp == "" || doc.Version < 1 || doc.Statements == nil {
		t.Errorf("a field that must be there is not: %+v", doc)
	}
	justifications := []string{"component_not_present", "vulnerable_code_not_present", "vulnerable_code_not_in_execute_path",
		"vulnerable_code_cannot_be_controlled_by_adversary", "inline_mitigations_already_exist"}
	all := map[string]statement{}
	for _, s := range doc.Statements {
		all[s.Vulnerability.Name] = s
		if s.Vulnerability.Name == "" || len(s.Products) == 0 {
			t.Errorf("%+v names no vulnerability or no product", s)
		}
		if !slices.Contains([]string{"affected", "not_affected", "fixed", "under_investigation"}, s.Status) {
			t.Errorf("status %q", s.Status)
		}
		if s.Status == "not_affected" && s.Justification == "" && s.Impact == "" || s.Status == "affected" && s.Action == "" {
			t.Errorf("%+v gives no reason or action", s)
		}
		if s.Justification != "" && (s.Status != "not_affected" || !slices.Contains(justifications, s.Justification)) {
			t.Errorf("justification %q of status %q", s.Justification, s.Status)
		}
	}
	return all
}

func TestStatements(t *testing.T) {
	b := write(t, sample.Report())
	golden.Check(t, "report.vex.json", b)
	all := read(t, b)
	if s := all["CVE-2023-5363"]; s.Status != "affected" || len(s.Products) != 1 {
		t.Errorf("%+v", s)
	}
	if s := all["CVE-2024-0727"]; s.Status != "not_affected" || s.Impact == "" {
		t.Errorf("what was said to be unreachable: %+v", s)
	}
	if s := all["CVE-2023-29403"]; s.Justification != "vulnerable_code_not_present" {
		t.Errorf("what is not linked: %+v", s)
	}
	if s := all["CVE-2025-0001"]; s.Status != "under_investigation" {
		t.Errorf("what nobody rated: %+v", s)
	}
}

// Somebody who accepts a problem does not say that there is none.
func TestAccepted(t *testing.T) {
	r := sample.Report()
	r.Findings[2].Exception = &bulwark.Exception{Reason: "we live with it until the move", Owner: "team"}
	if s := read(t, write(t, r))["CVE-2024-0727"]; s.Status != "affected" || s.Notes == "" {
		t.Errorf("%+v", s)
	}
}

func TestEmpty(t *testing.T) { read(t, write(t, &bulwark.Report{})) }
