// Package rule is what secrets are found by: the rules that Bulwark has, those that a
// user brings, and the engine all speak of one type.
package rule

import (
	"regexp"
	"sync"

	"bulwark"
)

// Rule says how one kind of secret is found. It is used by pointer, and not changed
// once the engine has it.
type Rule struct {
	// ID names the rule: lower case, digits and hyphens. The rule of a finding is "secret/" and this.
	ID string `yaml:"id"`
	// Title says what was found, as the start of a sentence: "GitHub personal access token".
	Title string `yaml:"title"`
	// Reason says what whoever has the value can do, and argues for the severity.
	Reason string `yaml:"reason"`
	// FalsePositives says what else looks like it, and how the rule tells.
	FalsePositives string           `yaml:"falsePositives"`
	Severity       bulwark.Severity `yaml:"severity"`
	References     []string         `yaml:"references,omitempty"`
	Tags           []string         `yaml:"tags,omitempty"`

	// Anchors are literals; every match of Pattern contains at least one of them (in any
	// case with FoldCase, of ASCII letters). They are what the automaton looks for, so
	// 4 bytes or more where it can be, and rare. None: the rule is about paths alone, and Pattern is empty.
	Anchors  []string `yaml:"anchors"`
	FoldCase bool     `yaml:"foldCase,omitempty"`
	// Pattern is a regular expression in RE2's syntax. What it matches is at most
	// Before bytes before an anchor and After bytes after its start (0: 64 and 512).
	// A neighbour is tested with \b or with a group around the secret: the window is cut from
	// its file, so ^ and $ hold at its ends too; (?m) makes them those of lines.
	Pattern string `yaml:"pattern"`
	Before  int    `yaml:"before,omitempty"`
	After   int    `yaml:"after,omitempty"`
	// Group is the number of the group that is the secret. 0: the group named "secret",
	// else the first one that took part, else the whole match.
	Group int `yaml:"group,omitempty"`

	// Entropy is the least Shannon entropy of the secret in bits a byte; 0: not asked.
	Entropy float64 `yaml:"entropy,omitempty"`
	// Check names a function that tells a secret from what looks like it: see Checks.
	Check string `yaml:"check,omitempty"`

	// ConfigOnly: only in files that look like settings, and in the configuration of images.
	ConfigOnly bool `yaml:"configOnly,omitempty"`
	// Generic: the pattern says nothing of who issued the value. It begins with the name that
	// the anchor is part of (letters, digits, "_", "-", "."), ends in the same line, and is found
	// only where no other rule finds anything, with all of the engine's doubts about context.
	Generic bool `yaml:"generic,omitempty"`
	// Personal: data about people, and no secret. Looked for only when asked.
	Personal bool `yaml:"personal,omitempty"`
	// AnyContext: the engine does not ask whether the value is a placeholder or its place documentation.
	AnyContext bool `yaml:"anyContext,omitempty"`
	// Doubtful: texts that explain something have it, too, so that it is not believed in documentation, samples and tests.
	Doubtful bool `yaml:"doubtful,omitempty"`
	// Least is how many different values a file must hold to be worth a finding (lists of
	// addresses, dumps): all of them are one finding then. 0: each is one.
	Least int `yaml:"least,omitempty"`

	// Path is a regular expression that the file's path (relative, with slashes) must match; empty: any.
	Path string `yaml:"path,omitempty"`
	// Allow are descriptions of what is no secret; one that fits is enough.
	Allow []*Allow `yaml:"allow,omitempty"`

	// Cases are what the rule must and must not find. They come last in a rule's file.
	Cases Cases `yaml:"cases,omitempty"`

	later   []byte // its file, until the rest of it is needed
	once    sync.Once
	pattern *regexp.Regexp
	path    *regexp.Regexp
	hints   []string // every path that fits contains one, in lower case; nil: not known
	err     error
}

// Allow describes what is no secret. It fits when one of the things that it lists does,
// or with All one of each kind (paths, patterns, stopwords) that it has.
type Allow struct {
	All bool `yaml:"all,omitempty"`
	// Target is what Patterns look at: "secret" (or empty), "match", "line".
	Target   string   `yaml:"target,omitempty"`
	Patterns []string `yaml:"patterns,omitempty"`
	// Stopwords are contained in the secret, in any case.
	Stopwords []string `yaml:"stopwords,omitempty"`
	Paths     []string `yaml:"paths,omitempty"`

	once     sync.Once
	patterns []*regexp.Regexp
	paths    []*regexp.Regexp
	words    []string
	err      error
}

// Cases are templates (see Fill) of texts. Each text is the content of a file, of Path
// when it is given ("app.env" otherwise).
type Cases struct {
	Path  string   `yaml:"path,omitempty"`
	Match []string `yaml:"match"`
	Miss  []string `yaml:"miss"`
}

// The size of the window around an anchor, where the rule does not say.
const (
	DefaultBefore = 64
	DefaultAfter  = 512
	// MaxBefore and MaxAfter bound what rules may ask for.
	MaxBefore = 4 << 10
	MaxAfter  = 16 << 10
)
