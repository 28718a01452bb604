package bulwark

// The statuses of a control.
const (
	StatusPass   = "pass"
	StatusFail   = "fail"
	StatusManual = "manual" // nobody but a person can tell, or it could not be looked at
	StatusNA     = "not-applicable"
)

// Framework is how one target stands against a framework of controls: a benchmark, a
// guideline, a list of risks.
type Framework struct {
	ID       string             `json:"id"` // what --framework takes: "cis"
	Title    string             `json:"title"`
	Version  string             `json:"version,omitempty"`
	Asset    AssetID            `json:"asset"`
	Score    Score              `json:"score"`
	Sections []FrameworkSection `json:"sections"`
	Controls []Control          `json:"controls"` // in the framework's order
}

// FrameworkSection is a part of a framework.
type FrameworkSection struct {
	ID    string `json:"id"`
	Title string `json:"title"`
	Score Score  `json:"score"`
}

// Control is one demand of a framework, and what was seen of it.
type Control struct {
	ID       string   `json:"id"` // within its framework: "5.2.2"
	Title    string   `json:"title"`
	Section  string   `json:"section"` // id of its section
	Status   string   `json:"status"`
	Severity Severity `json:"severity,omitempty"` // of the worst finding; unknown unless it failed
	Why      string   `json:"why,omitempty"`      // why the control is there
	Reason   string   `json:"reason,omitempty"`   // why the status is what it is
	ByHand   string   `json:"byHand,omitempty"`   // how a person finds out
	Rules    []string `json:"rules,omitempty"`    // that decide it, globs among them
	Evidence []string `json:"evidence,omitempty"` // what speaks against it, or what was looked at
	Findings int      `json:"findings,omitempty"` // that speak against it
	Excepted int      `json:"excepted,omitempty"` // that would, and an exception covers
	Keys     []string `json:"keys,omitempty"`     // of those findings, as many as there is evidence
}

// Score counts controls by status.
type Score struct {
	// Percent is the share of passed controls among those that passed or failed, rounded
	// down; nil when there are none: nothing could be judged.
	Percent       *int `json:"percent,omitempty"`
	Passed        int  `json:"passed"`
	Failed        int  `json:"failed"`
	Manual        int  `json:"manual"`
	NotApplicable int  `json:"notApplicable"`
}

// Count adds a control.
func (s *Score) Count(status string) {
	switch status {
	case StatusPass:
		s.Passed++
	case StatusFail:
		s.Failed++
	case StatusManual:
		s.Manual++
	default:
		s.NotApplicable++
	}
	if judged := s.Passed + s.Failed; judged > 0 {
		p := s.Passed * 100 / judged
		s.Percent = &p
	}
}
