package export

import (
	"encoding/json"
	"fmt"
	"strings"

	"bulwark/detect/profile"
)

// InUse lists the files that were executed or loaded, and no more of what was learned: it may leave the node.
func InUse(p *profile.Profile) (string, error) {
	few := profile.Profile{
		Schema: profile.Schema, Image: p.Image, ID: p.ID, Digest: p.Digest, Arch: p.Arch, From: p.From, To: p.To, Seconds: p.Seconds, Starts: p.Starts, Others: p.Others, Loaded: p.Loaded,
	}
	if n := p.Full["loaded"]; n > 0 {
		few.Full = map[string]int{"loaded": n}
	}
	data, err := json.MarshalIndent(few, "", " ")
	return escaped(data) + "\n", err
}

// escaped writes the control characters that JSON may hold as they are in ASCII: what is written may go to a terminal.
func escaped(data []byte) string {
	var b strings.Builder
	for _, r := range string(data) {
		if r >= 0x7f && r < 0xa0 {
			fmt.Fprintf(&b, `\u%04x`, r)
			continue
		}
		b.WriteRune(r)
	}
	return b.String()
}
