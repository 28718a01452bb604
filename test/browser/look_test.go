package browser

import (
	"encoding/base64"
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
	html, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	p := start(t).open(t, html, true)
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
		var shot struct{ Data string }
		p.must(&shot, "Page.captureScreenshot", map[string]any{"format": "png"})
		save(t, filepath.Join(out, look.name+".png"), shot.Data)
	}
	p.must(nil, "Emulation.setEmulatedMedia", map[string]any{"features": []map[string]string{}})
	var pdf struct{ Data string }
	p.must(&pdf, "Page.printToPDF", map[string]any{"paperWidth": 8.27, "paperHeight": 11.69})
	save(t, filepath.Join(out, "print.pdf"), pdf.Data)
}

func save(t *testing.T, name, data string) {
	t.Helper()
	b, err := base64.StdEncoding.DecodeString(data)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(name, b, 0o600); err != nil {
		t.Fatal(err)
	}
}

