package browser

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestNetwork looks at the map of connections: 500 workloads of 20 namespaces, and one whose
// names mean harm.
func TestNetwork(t *testing.T) {
	c := start(t)
	file := networkPage(t)
	t.Run("map", func(t *testing.T) {
		p := c.open(t, file, true)
		var got struct {
			Boxes, Tiles, Lines, Pwned, Wide int
			Panel                            string
		}
		look := func() {
			t.Helper()
			p.eval(&got, `({boxes: document.querySelectorAll(".box").length, tiles: document.querySelectorAll(".box li button").length,
				lines: document.querySelectorAll("path.line").length, pwned: window.pwned || 0, panel: document.querySelector("aside").innerText,
				wide: document.documentElement.scrollWidth - innerWidth})`)
		}
		p.eval(nil, `new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(() => done(0))))`)
		look()
		if got.Boxes != 22 || got.Tiles != 0 || got.Wide > 0 {
			t.Errorf("at first there are %d boxes, %d workloads, %d pixels too many; want 22 (with those outside), folded", got.Boxes, got.Tiles, got.Wide)
		}
		p.eval(nil, `{document.querySelectorAll(".box .name")[3].click()}`)
		look()
		if got.Tiles != 25 || got.Lines == 0 {
			t.Errorf("an open namespace shows %d workloads and %d lines, want 25 and some", got.Tiles, got.Lines)
		}
		p.eval(nil, `{const s = document.querySelector("[name=search]"); s.value = "app-77["; s.dispatchEvent(new Event("input", {bubbles: true}))}`)
		look()
		if !strings.Contains(got.Panel, "team-17/app-77[Deployment]") || !strings.Contains(got.Panel, "Can be reached by") || got.Lines == 0 || got.Lines > 120 {
			t.Errorf("searching for a workload shows %d lines and %q", got.Lines, got.Panel)
		}
		p.eval(nil, `{document.querySelector("[name=clear]").click(); document.querySelector("[name=unfold]").click()}`)
		look()
		if got.Tiles < 500 || got.Pwned != 0 || got.Wide > 0 {
			t.Errorf("unfolded there are %d workloads, pwned %d, %d pixels too many", got.Tiles, got.Pwned, got.Wide)
		}
		pictures(t, p)
		p.quiet()
	})
	t.Run("without JavaScript", func(t *testing.T) {
		p := c.open(t, file, false)
		var got struct {
			Main bool
			Rows int
		}
		p.eval(&got, `({main: document.querySelector("main").hidden, rows: document.querySelectorAll(".list tbody tr").length})`)
		if !got.Main || got.Rows < 100 {
			t.Errorf("map hidden %v, %d rows", got.Main, got.Rows)
		}
		p.quiet()
	})
}

// pictures leaves some of the page in the folder that BULWARK_PICTURES names.
func pictures(t *testing.T, p *page) {
	out := os.Getenv("BULWARK_PICTURES")
	if out == "" {
		return
	}
	for name, before := range map[string]string{
		"map-folded":   `document.querySelector("[name=fold]").click(); document.querySelector("[name=clear]").click()`,
		"map-workload": `const s = document.querySelector("[name=search]"); s.value = "app-77["; s.dispatchEvent(new Event("input", {bubbles: true}))`,
		"map-unfolded": `document.querySelector("[name=clear]").click(); document.querySelector("[name=unfold]").click()`,
	} {
		p.must(nil, "Emulation.setDeviceMetricsOverride", map[string]any{"width": 1400, "height": 1100, "deviceScaleFactor": 1, "mobile": false})
		p.eval(nil, "{"+before+"}")
		var shot struct{ Data []byte }
		p.must(&shot, "Page.captureScreenshot", map[string]any{"format": "png"})
		save(t, filepath.Join(out, name+".png"), shot.Data)
	}
}

// networkPage writes the page of a made-up cluster.
func networkPage(t *testing.T) string {
	t.Helper()
	var b strings.Builder
	const pod = "---\napiVersion: apps/v1\nkind: Deployment\nmetadata: {name: %q, namespace: %q}\nspec:\n  selector: {matchLabels: {app: %q}}\n  template:\n    metadata: {labels: {app: %q, tier: t%d}}\n    spec: {containers: [{name: c, image: x}]}\n"
	for i := range 500 {
		name, space := fmt.Sprintf("app-%d", i), fmt.Sprintf("team-%02d", i%20)
		fmt.Fprintf(&b, pod, name, space, name, name, i%3)
		fmt.Fprintf(&b, "---\napiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\nmetadata: {name: p-%d, namespace: %s}\nspec: {podSelector: {matchLabels: {app: %s}}, policyTypes: [Ingress], ingress: [{from: [{namespaceSelector: {matchLabels: {kubernetes.io/metadata.name: team-%02d}}, podSelector: {matchLabels: {tier: t%d}}}], ports: [{port: %d}]}]}\n", i, space, name, i*7%20, i%3, 8000+i%5)
	}
	fmt.Fprintf(&b, pod, evil, evil, "evil", "evil", 9)
	return made(t, b.String(), "network", "list")
}
