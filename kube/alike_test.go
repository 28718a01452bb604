package kube

import (
	"errors"
	"strings"
	"testing"

	"bulwark"
)

// TestParserAsParseJSON: what shares its nodes says what it says when it is read alone.
func TestParserAsParseJSON(t *testing.T) {
	var p Parser
	long := `{"a":"` + strings.Repeat("x", longestAlike) + `","b":[{"c":1},{"c":1}]}`
	for range 2 {
		for _, text := range []string{
			`{"a":{"b":[1,2,{"c":"}"}]},"d":{"b":[1,2,{"c":"}"}]}}`,
			`{"d":{"b":[1,2,{"c":"}"}]},"e":"\"{"}`,
			`[{"c":"\\"},{"c":"\\"},{"c":"\\\""},[],{},[[]],[{}]]`,
			"{\"a\":\n{\"b\":1},\"c\":{\"b\":1}}",
			long, `[` + long + `,` + long + `]`, `{`, `[}`, `{"a":[1,}`, `{"a":{"b":1}`, `[["\0"]]`, `{"\0":1}`, `{"a" {}}`, `[{"a":1}{"a":1}]`,
		} {
			want, wantErr := ParseJSON([]byte(text))
			got, err := p.Parse([]byte(text))
			if (err == nil) != (wantErr == nil) || err != nil && err.Error() != wantErr.Error() {
				t.Errorf("%.60s: %v, want %v", text, err, wantErr)
			}
			if err == nil && string(got.JSON()) != string(want.JSON()) {
				t.Errorf("%.60s: %s", text, got.JSON())
			}
		}
	}
}

func TestParserShares(t *testing.T) {
	var p Parser
	n, err := p.Parse([]byte(`[{"a":[1]},{"a":[1]}]`))
	if err != nil || n.Item(0) != n.Item(1) {
		t.Errorf("%v: read twice", err)
	}
	m, err := p.Parse([]byte(`{"b":{"a":[1]}}`))
	if err != nil || m.Get("b") != n.Item(0) {
		t.Errorf("%v: read twice", err)
	}
}

// TestParserLimits: what is shared counts as often as it is there, and deep values stay refused.
func TestParserLimits(t *testing.T) {
	var p Parser
	inner := `[` + strings.Repeat("0,", 1500) + `0]`
	text := `[` + strings.Repeat(inner+",", maxNodes/1500+2) + `0]`
	if _, err := p.Parse([]byte(text)); !errors.Is(err, bulwark.ErrLimit) {
		t.Errorf("wide: %v", err)
	}
	nest := func(n int) string { return strings.Repeat("[", n) + strings.Repeat("]", n) }
	if _, err := p.Parse([]byte(nest(maxDepth))); err != nil {
		t.Error(err)
	}
	for _, n := range []int{maxDepth + 2, 2 * maxDepth} {
		if _, err := p.Parse([]byte(nest(n))); !errors.Is(err, bulwark.ErrLimit) {
			t.Errorf("%d deep: %v", n, err)
		}
	}
}

func FuzzParser(f *testing.F) {
	f.Add(`{"a":{"b":[1,2]},"c":{"b":[1,2]}}`, `{"b":[1,2]}`)
	f.Add("[[\"\\\\\",{}],\n[\"\\\\\",{}]]", `["\\"]`)
	f.Fuzz(func(t *testing.T, first, second string) {
		var p Parser
		for _, text := range []string{first, second, first} {
			want, wantErr := ParseJSON([]byte(text))
			got, err := p.Parse([]byte(text))
			if (err == nil) != (wantErr == nil) {
				t.Fatalf("%q: %v, want %v", text, err, wantErr)
			}
			if err == nil && !got.Equal(want) {
				t.Errorf("%q: %s", text, got.JSON())
			}
		}
	})
}
