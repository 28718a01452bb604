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
	// Fix is what to do, where that is the same for all findings of the rule.
	Fix        string   `json:"fix,omitempty"`
	References []string `json:"references,omitempty"`
}

// Ruler is a plugin that has rules of its own.
type Ruler interface {
	Plugin
	// Rules lists them by id.
	Rules() []Rule
}

// RuleTest is what became of a rule's own cases: files that it must and must not find.
type RuleTest struct {
	Rule     string   `json:"rule"`
	File     string   `json:"file,omitempty"` // that has the rule, below the folder of rules
	Cases    int      `json:"cases"`
	Failures []string `json:"failures"` // why it did not pass; empty when it did
}

// RuleTester is a plugin whose rules have cases of their own.
type RuleTester interface {
	Ruler
	// TestRules tries every rule that has cases, by id.
	TestRules() ([]RuleTest, error)
}
