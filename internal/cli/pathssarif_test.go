package cli

import (
	"errors"
	"testing"

	"bulwark"
)

func FuzzSARIF(f *testing.F) {
	f.Add([]byte(`{"runs":[{"tool":{"driver":{"name":"x","rules":[{"id":"a","properties":{"security-severity":"9.0"}}]}},"results":[{"ruleIndex":0,"level":"error","message":{"text":"b\nc"},"locations":[{"physicalLocation":{"artifactLocation":{"uri":"d"},"region":{"startLine":3}}}]}]}]}`))
	f.Add([]byte(`{"runs":[{"results":[{"ruleIndex":-1,"suppressions":[{}]},{"ruleIndex":99}]}]}`))
	f.Add([]byte(`{"runs":null}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		list, err := parseSARIF(data, "f")
		if err != nil && !errors.Is(err, bulwark.ErrMalformed) && !errors.Is(err, bulwark.ErrLimit) {
			t.Fatal(err)
		}
		for _, one := range list {
			if one.Key == "" || one.Severity == bulwark.SeverityUnknown {
				t.Fatalf("%+v", one)
			}
		}
	})
}

func TestWild(t *testing.T) {
	for _, tt := range []struct {
		pattern, text string
		want          bool
	}{
		{"a*c", "abc", true}, {"a*c", "ac", true}, {"a*c", "a", false}, {"*", "", true}, {"workload:test/*", "workload:test/Deployment/x", true},
		{"a*a", "a", false}, {"*b*", "abc", true}, {"abc", "abc", true}, {"abc", "abcd", false}, {"*a*b*c", "xaybzc", true}, {"*a*b*c", "xbyazc", false},
	} {
		if got := wild(tt.pattern, tt.text); got != tt.want {
			t.Errorf("wild(%q, %q) = %v", tt.pattern, tt.text, got)
		}
	}
}
