package change_test

import (
	"strings"
	"testing"

	"bulwark/network/change"

	"github.com/google/go-cmp/cmp"
)

const a, b = "shop/a[Pod]", "shop/b[Pod]"

func TestOf(t *testing.T) {
	before := []change.Flow{{a, b, "TCP 80", nil}, {b, a, "All Connections", nil}, {a, "{x}", "TCP 1", nil},
		{a, "0.0.0.0-255.255.255.255[External]", "TCP 443", nil}, {"0.0.0.0-9.255.255.255[External]", b, "TCP 80", nil}, {"10.0.0.0-255.255.255.255[External]", b, "TCP 80", nil}}
	after := []change.Flow{{a, b, "TCP 80,443", nil}, {a, "{x}", "TCP 1", nil}, {b, "{x}", "UDP 53", nil},
		{a, "0.0.0.0-9.255.255.255[External]", "TCP 443", nil}, {a, "10.0.0.0-10.255.255.255[External]", "TCP 80,443", nil}, {a, "11.0.0.0-254.255.255.255[External]", "TCP 443", nil},
		{"0.0.0.0-255.255.255.255[External]", b, "TCP 80", nil}}
	want := []change.Change{
		{b, "{x}", "", "UDP 53"},
		{a, "10.0.0.0-10.255.255.255[External]", "TCP 443", "TCP 80,443"}, {a, b, "TCP 80", "TCP 80,443"},
		{a, "255.0.0.0-255.255.255.255[External]", "TCP 443", ""}, {b, a, "All Connections", ""},
	}
	if diff := cmp.Diff(want, change.Of(before, after)); diff != "" {
		t.Error(diff)
	}
	if got := change.Of(before, before); len(got) != 0 {
		t.Errorf("nothing changed, and yet: %v", got)
	}
}

// What asks for more than it did, or for less, is another connection.
func TestConditions(t *testing.T) {
	get, put := []string{"only GET /a"}, []string{"only GET /a", "only PUT"}
	out := func(first, last string) string { return first + "-" + last + "[External]" }
	before := []change.Flow{{a, b, "TCP 80", get}, {b, a, "TCP 80", get}, {a, out("0.0.0.0", "9.255.255.255"), "TCP 1", get}, {a, out("10.0.0.0", "255.255.255.255"), "TCP 1", get}}
	after := []change.Flow{{a, b, "TCP 80", nil}, {b, a, "TCP 80", put}, {a, out("0.0.0.0", "255.255.255.255"), "TCP 1", nil}}
	want := []change.Change{
		{a, out("0.0.0.0", "255.255.255.255"), "TCP 1 (only GET /a)", "TCP 1"},
		{a, b, "TCP 80 (only GET /a)", "TCP 80"}, {b, a, "TCP 80 (only GET /a)", "TCP 80 (only GET /a; only PUT)"},
	}
	if diff := cmp.Diff(want, change.Of(before, after)); diff != "" {
		t.Error(diff)
	}
	if got := change.Of(before, before); len(got) != 0 {
		t.Errorf("nothing changed, and yet: %v", got)
	}
}

func TestRead(t *testing.T) {
	for _, bad := range []string{"", "{}", "[", "[1]", `[{"src":"a","dst":"b","conn":"x"}]`, `[{"src":"a","conn":"TCP 80"}]`, `[{"src":"a","dst":"b","conn":"TCP 80"}`} {
		if _, err := change.Read(strings.NewReader(bad)); err == nil {
			t.Errorf("Read(%q) takes it", bad)
		}
	}
	list, err := change.Read(strings.NewReader(`[{"src":"a","dst":"b","conn":"TCP 80"}]`))
	if err != nil || len(list) != 1 {
		t.Errorf("Read: %v %v", list, err)
	}
}

func FuzzRead(f *testing.F) {
	f.Add(`[{"src":"a","dst":"0.0.0.0-1.1.1.1[External]","conn":"TCP 80-90,UDP 1"}]`)
	f.Fuzz(func(t *testing.T, s string) {
		if list, err := change.Read(strings.NewReader(s)); err == nil && len(change.Of(list, list)) > 0 {
			t.Error("a list differs from itself")
		}
	})
}
