package export

import (
	"encoding/json"

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
	return string(data) + "\n", err
}
