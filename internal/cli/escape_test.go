package cli

import (
	"encoding/json"
	"io"
	"strings"
	"testing"
)

// However a text is cut into writes, what a terminal obeys is escaped and the meaning stays.
func TestEscaping(t *testing.T) {
	const text = "[\"a\u009b31m\u202ex\u007f é日本𝄞\"]\n"
	for step := range 9 {
		var b strings.Builder
		err := escaping("json", func(w io.Writer) error {
			for rest := text; rest != ""; {
				n := min(step+1, len(rest))
				if _, err := io.WriteString(w, rest[:n]); err != nil {
					return err
				}
				rest = rest[n:]
			}
			return nil
		})(&b)
		if err != nil || strings.ContainsFunc(b.String(), obeyed) {
			t.Errorf("%d at a time: %q, %v", step+1, b.String(), err)
		}
		var got, want []string
		if json.Unmarshal([]byte(text), &want) != nil || json.Unmarshal([]byte(b.String()), &got) != nil || got[0] != want[0] {
			t.Errorf("%d at a time: %q", step+1, got)
		}
	}
}
