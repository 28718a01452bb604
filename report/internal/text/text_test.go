package text_test

import (
	"encoding/json"
	"strings"
	"testing"
	"unicode/utf8"

	"bulwark/report/internal/text"
)

func TestClean(t *testing.T) {
	for _, tt := range []struct{ in, want string }{
		{"plain", "plain"},
		{"日本語 é", "日本語 é"},
		{"a\x1b[31mb", "a�[31mb"},
		{"a\nb\tc", "a b c"},
		{"a\u202eb\u2066c\u200bd", "a�b�c�d"},
		{"a\u009b31m", "a�31m"},
		{"a\xffb", "a�b"},
		{"�", "�"},
		{"\x7f", "�"},
	} {
		if got := text.Clean(tt.in); got != tt.want {
			t.Errorf("Clean(%q) = %q, want %q", tt.in, got, tt.want)
		}
	}
	if got := text.Lines("a\r\nb\x1b\n"); got != "a\nb�\n" {
		t.Errorf("Lines = %q", got)
	}
}

func TestColumns(t *testing.T) {
	if w := text.Width("日本e\u0301"); w != 5 {
		t.Errorf("width %d, want 5: wide runes take two columns, combining ones none", w)
	}
	if got := text.Cut("日本語の名前", 6); got != "日本…" {
		t.Errorf("Cut = %q", got)
	}
	if got := text.Pad("日", 4) + "|"; got != "日  |" {
		t.Errorf("Pad = %q", got)
	}
	if got := strings.Join(text.Wrap("one two three", 7), "|"); got != "one two|three" {
		t.Errorf("Wrap = %q", got)
	}
}

func FuzzText(f *testing.F) {
	f.Add("a\x1b[0m\u202e日本\xff", 3)
	f.Fuzz(func(t *testing.T, s string, n int) {
		c := text.Clean(s)
		if !utf8.ValidString(c) || strings.ContainsAny(c, "\x00\x1b\n\u009b\u202e") || text.Clean(c) != c {
			t.Errorf("Clean(%q) = %q", s, c)
		}
		if n > 0 && text.Width(text.Cut(c, n)) > max(n, 1) {
			t.Errorf("Cut(%q, %d) is too wide", c, n)
		}
		raw, err := json.Marshal(s)
		if err != nil {
			t.Fatal(err)
		}
		var back, plain string
		if json.Unmarshal(raw, &plain) != nil || json.Unmarshal(text.JSON(raw), &back) != nil || back != plain {
			t.Errorf("JSON changes %q to %q", plain, back)
		}
	})
}

func TestMiddle(t *testing.T) {
	for _, tt := range []struct {
		s    string
		n    int
		want string
	}{
		{"/srv/app/x.jar", 14, "/srv/app/x.jar"},
		{"/srv/app/lib/x.jar", 10, "/sr…/x.jar"},
		{"/srv/日本語/日本語.jar", 12, "/sr…本語.jar"},
		{"abc", 1, "…"},
		{"abc", 0, "abc"},
	} {
		if got := text.Middle(tt.s, tt.n); got != tt.want || tt.n > 0 && text.Width(got) > tt.n {
			t.Errorf("Middle(%q, %d) = %q, want %q", tt.s, tt.n, got, tt.want)
		}
	}
}
