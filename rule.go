package bulwark

// Rule is one thing that a plugin looks for, as people read about it before they are
// told off by it.
type Rule struct {
	ID       string   `json:"id"` // family/name, as in findings
	Title    string   `json:"title"`
	Severity Severity `json:"severity"` // what its findings have, or the most that they can have
	// Reason says why it matters, and argues for the severity.
	Reason string `json:"reason"`
	// FalsePositives says when it is wrong.
	FalsePositives string   `json:"falsePositives,omitempty"`
	Tags           []string `json:"tags,omitempty"` // ids of other tools and standards; "hygiene"
}

// Ruler is a plugin that has rules of its own.
type Ruler interface {
	Plugin
	// Rules lists them by id.
	Rules() []Rule
}
