package posture

import (
	"bytes"
	"fmt"
	"path"
	"strings"

	"bulwark"
	"bulwark/check/internal/misconfig"
	"bulwark/internal/telling"
	"bulwark/kube"
)

// addition is the patch that puts a document behind the last one of the file that an object
// was written in; nil when that is no plain file of YAML.
func addition(s *kube.Set, o *kube.Object, document string) *bulwark.Patch {
	from := &o.Origin
	if ext := path.Ext(from.File); ext != ".yaml" && ext != ".yml" || from.Chart != "" || from.Overlay != "" || s.Read == nil {
		return nil
	}
	data, err := s.Read(from.File)
	if err != nil || !bytes.HasSuffix(data, []byte("\n")) || bytes.Contains(data, []byte("\r")) || bytes.Contains(data, []byte("\n...")) || bytes.Contains(data, []byte("kind: Secret")) {
		return nil // the last line would be shown
	}
	lines := strings.Split(strings.TrimSuffix(string(data), "\n"), "\n")
	last := lines[len(lines)-1]
	if telling.Mask(last) != last || misconfig.Clean(last) != strings.TrimSpace(last) || strings.ContainsAny(from.File, "\n\r\t ") {
		return nil
	}
	if !strings.HasPrefix(last, "---") {
		document = "---\n" + document
	}
	added := strings.Split(strings.TrimSuffix(document, "\n"), "\n")
	var b strings.Builder
	fmt.Fprintf(&b, "--- a/%s\n+++ b/%s\n@@ -%d,1 +%d,%d @@\n %s\n", from.File, from.File, len(lines), len(lines), len(added)+1, last)
	for _, line := range added {
		b.WriteString("+" + line + "\n")
	}
	return &bulwark.Patch{Format: "unified-diff", File: from.File, Text: b.String()}
}
