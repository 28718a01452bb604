package cli

import (
	"cmp"
	"encoding/json"
	"fmt"
	"os"
	"strconv"
	"strings"

	"bulwark"
	"bulwark/internal/limit"
)

const (
	maxSARIF     = 256 << 20
	mostWeakness = 100_000
)

// sarifLog is what is read of a SARIF file.
type sarifLog struct {
	Runs []struct {
		Tool struct {
			Driver struct {
				Name  string      `json:"name"`
				Rules []sarifRule `json:"rules"`
			} `json:"driver"`
		} `json:"tool"`
		Results []struct {
			RuleID    string `json:"ruleId"`
			RuleIndex *int   `json:"ruleIndex"`
			Level     string `json:"level"`
			Message   struct {
				Text string `json:"text"`
			} `json:"message"`
			Locations []struct {
				Physical struct {
					Artifact struct {
						URI string `json:"uri"`
					} `json:"artifactLocation"`
					Region struct {
						StartLine int `json:"startLine"`
					} `json:"region"`
				} `json:"physicalLocation"`
				Logical []struct {
					FullyQualifiedName string `json:"fullyQualifiedName"`
				} `json:"logicalLocations"`
			} `json:"locations"`
			Suppressions []any `json:"suppressions"`
		} `json:"results"`
	} `json:"runs"`
}

type sarifRule struct {
	ID            string `json:"id"`
	DefaultConfig struct {
		Level string `json:"level"`
	} `json:"defaultConfiguration"`
	Properties struct {
		Security string `json:"security-severity"`
	} `json:"properties"`
}

// readSARIF takes what another tool found, as findings of its rules.
func readSARIF(file string) ([]bulwark.Finding, error) {
	f, err := os.Open(file)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	data, err := limit.ReadAll(f, maxSARIF, file)
	if err != nil {
		return nil, err
	}
	return parseSARIF(data, file)
}

func parseSARIF(data []byte, file string) ([]bulwark.Finding, error) {
	var log sarifLog
	if err := json.Unmarshal(data, &log); err != nil {
		return nil, fmt.Errorf("%s is no SARIF: %w: %w", file, bulwark.ErrMalformed, err)
	}
	if log.Runs == nil {
		return nil, fmt.Errorf("%s is no SARIF: it has no runs: %w", file, bulwark.ErrMalformed)
	}
	var list []bulwark.Finding
	for _, run := range log.Runs {
		rules := map[string]sarifRule{}
		for _, r := range run.Tool.Driver.Rules {
			rules[r.ID] = r
		}
		for _, r := range run.Results {
			if len(list) == mostWeakness {
				return nil, fmt.Errorf("%s has more than %d results: %w", file, mostWeakness, bulwark.ErrLimit)
			}
			if len(r.Suppressions) > 0 {
				continue
			}
			id := r.RuleID
			if i := r.RuleIndex; id == "" && i != nil && *i >= 0 && *i < len(run.Tool.Driver.Rules) {
				id = run.Tool.Driver.Rules[*i].ID
			}
			one := bulwark.Finding{
				Kind: bulwark.KindExposure, Rule: "sarif/" + id, Severity: weaknessLevel(rules[id], r.Level), Title: firstLine(r.Message.Text), Asset: bulwark.AssetID("file:" + file),
				Evidence: []string{run.Tool.Driver.Name + ": " + firstLine(r.Message.Text)},
			}
			if len(r.Locations) > 0 {
				l := r.Locations[0]
				one.Path, one.Line = l.Physical.Artifact.URI, l.Physical.Region.StartLine
				for _, name := range l.Logical {
					one.Subject = cmp.Or(one.Subject, name.FullyQualifiedName)
				}
			}
			one.Subject = cmp.Or(one.Subject, one.Path)
			one.Key = bulwark.Key(one.Kind, one.Rule, one.Subject, fmt.Sprint(one.Path, ":", one.Line, " ", one.Title))
			one.Risk = bulwark.Risk(bulwark.Factors{Severity: one.Severity})
			list = append(list, one)
		}
	}
	return list, nil
}

func firstLine(s string) string {
	s, _, _ = strings.Cut(strings.TrimSpace(s), "\n")
	if len(s) > 200 {
		s = strings.ToValidUTF8(s[:200], "") + "..."
	}
	return s
}

// weaknessLevel is a severity: that of the rule by number, else by the result's level.
func weaknessLevel(rule sarifRule, level string) bulwark.Severity {
	if score, err := strconv.ParseFloat(rule.Properties.Security, 64); err == nil {
		switch {
		case score >= 9:
			return bulwark.SeverityCritical
		case score >= 7:
			return bulwark.SeverityHigh
		case score >= 4:
			return bulwark.SeverityMedium
		}
		return bulwark.SeverityLow
	}
	switch cmp.Or(level, rule.DefaultConfig.Level, "warning") {
	case "error":
		return bulwark.SeverityHigh
	case "warning":
		return bulwark.SeverityMedium
	}
	return bulwark.SeverityLow
}
