package browser

import (
	"os"
	"path/filepath"
	"testing"
)

// TestLook is for people who change the page: with BULWARK_LOOK=report.html it leaves
// pictures of that report in the folder that BULWARK_PICTURES names.
func TestLook(t *testing.T) {
	name, out := os.Getenv("BULWARK_LOOK"), os.Getenv("BULWARK_PICTURES")
	if name == "" || out == "" {
		t.Skip("skipped: BULWARK_LOOK and BULWARK_PICTURES name no report and folder")
	}
	name, err := filepath.Abs(name)
	if err != nil {
		t.Fatal(err)
	}
	p := start(t).open(t, name, true)
	for _, look := range []struct {
		name, scheme, before string
		width, height        int
		phone                bool
	}{
		{name: "light", scheme: "light", width: 1280, height: 1400},
		{name: "dark", scheme: "dark", width: 1280, height: 1400},
		{name: "phone", scheme: "light", width: 390, height: 1600, phone: true},
		{name: "details", scheme: "light", width: 1280, height: 1400,
			before: "document.querySelectorAll('.findings details').forEach((d, i) => d.open = i < 3); document.querySelector('.findings').scrollIntoView()"},
		{name: "phone-details", scheme: "dark", width: 390, height: 1600, phone: true, before: "document.querySelector('.findings').scrollIntoView()"},
	} {
		p.must(nil, "Emulation.setEmulatedMedia", map[string]any{"features": []map[string]string{{"name": "prefers-color-scheme", "value": look.scheme}}})
		p.must(nil, "Emulation.setDeviceMetricsOverride", map[string]any{"width": look.width, "height": look.height, "deviceScaleFactor": 1, "mobile": look.phone})
		if look.before != "" {
			p.eval(nil, "{"+look.before+"}")
		}
		var shot struct{ Data []byte } // base64 in JSON, which is how Go decodes bytes
		p.must(&shot, "Page.captureScreenshot", map[string]any{"format": "png"})
		save(t, filepath.Join(out, look.name+".png"), shot.Data)
	}
	p.must(nil, "Emulation.setEmulatedMedia", map[string]any{"features": []map[string]string{}})
	save(t, filepath.Join(out, "print.pdf"), p.pdf())
}

func save(t *testing.T, name string, data []byte) {
	t.Helper()
	if err := os.WriteFile(name, data, 0o600); err != nil {
		t.Fatal(err)
	}
}
