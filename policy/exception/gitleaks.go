package exception

import (
	"encoding/json"
	"fmt"
	"strings"

	"bulwark"
	"bulwark/policy/internal/rule"
)

// ParseGitleaks reads a gitleaks report that serves as a baseline: the secrets it
// lists, by rule, file and line, do not count.
func ParseGitleaks(name string, data []byte) ([]rule.Rule, error) {
	var known []struct {
		RuleID    string
		File      string
		StartLine int
	}
	if err := json.Unmarshal(data, &known); err != nil {
		return nil, fmt.Errorf("%s: gitleaks baseline: %w: %w", name, bulwark.ErrMalformed, err)
	}
	rules := make([]rule.Rule, 0, len(known))
	for _, k := range known {
		if k.RuleID == "" || k.File == "" {
			continue
		}
		rules = append(rules, rule.Rule{
			Kind: bulwark.KindSecret, Names: []string{escape(k.RuleID)}, Paths: []string{escape(k.File)}, Line: k.StartLine,
			Exempt:    true,
			Exception: bulwark.Exception{Reason: "known to the gitleaks baseline", Source: name},
		})
	}
	return rules, nil
}

// escape keeps a literal from being read as a pattern: a byte that would be special
// matches any one byte.
func escape(s string) string {
	return strings.NewReplacer("*", "?", "[", "?", "\\", "?").Replace(s)
}
