package browser

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"unicode"
)

const few, many = 120, 5000

// TestReport looks at the page as people do: in a browser, with JavaScript and without,
// on paper, on a phone.
func TestReport(t *testing.T) {
	c := start(t)
	small := write(t, sample(few))
	for _, tt := range []struct {
		name    string
		scripts bool
		test    func(*testing.T, *page)
	}{
		{"is harmless", true, harmless},
		{"is harmless without JavaScript", false, harmless},
		{"sorts", true, sorts},
		{"filters", true, filters},
		{"opens", true, opens},
		{"opens without JavaScript", false, opens},
		{"shows everything without JavaScript", false, whole},
		{"prints", true, prints},
		{"prints without JavaScript", false, prints},
		{"fits a phone", true, narrow},
		{"can be read", true, contrast},
	} {
		t.Run(tt.name, func(t *testing.T) {
			p := c.open(t, small, tt.scripts)
			tt.test(t, p)
			p.quiet()
		})
	}
	t.Run("serves 5,000 findings", func(t *testing.T) {
		p := c.open(t, write(t, sample(many)), true)
		crowded(t, p)
		p.quiet()
	})
}

// TestQuiet holds the tests' own ears against a page that does what a report must not.
func TestQuiet(t *testing.T) {
	file := filepath.Join(t.TempDir(), "loud.html")
	err := os.WriteFile(file, []byte(`<meta http-equiv="Content-Security-Policy" content="default-src 'none'"><p style="color: red">x</p><script>1</script><img src="http://127.0.0.1:9/x">`), 0o600)
	if err != nil {
		t.Fatal(err)
	}
	p := start(t).open(t, file, true)
	p.drain()
	for _, want := range []string{"style-src", "script-src", "img-src"} {
		if !strings.Contains(strings.Join(p.problems, " "), want) {
			t.Errorf("nothing was heard of %s", want)
		}
	}
}

// harmless: foreign names stay text.
func harmless(t *testing.T, p *page) {
	var got struct {
		Pwned, Active, Handlers, Links int
		Text                           string
	}
	p.eval(&got, `({
		pwned: window.pwned || 0,
		active: document.querySelectorAll("img, iframe, object, embed, base, link, script").length,
		handlers: Array.from(document.querySelectorAll("*")).filter((e) => Array.from(e.attributes).some((a) => a.name.startsWith("on") || a.name === "style")).length,
		links: Array.from(document.links).filter((a) => !/^https?:$/.test(a.protocol) || !a.relList.contains("noopener")).length,
		text: document.documentElement.outerHTML,
	})`)
	if got.Pwned != 0 || got.Active != 1 || got.Handlers != 0 || got.Links != 0 {
		t.Errorf("pwned %d, active elements %d (our script is one), handlers and styles %d, links of other kinds %d", got.Pwned, got.Active, got.Handlers, got.Links)
	}
	if i := strings.IndexFunc(got.Text, func(r rune) bool { return r != '\n' && unicode.IsControl(r) || unicode.Is(unicode.Bidi_Control, r) }); i >= 0 {
		t.Errorf("a control character in the page: %q", got.Text[max(0, i-20):min(len(got.Text), i+20)])
	}
	if !strings.Contains(got.Text, "&lt;script&gt;window.pwned") {
		t.Error("the hostile name is not shown at all")
	}
}

const order = `Array.from(document.querySelectorAll(".findings .rows > details:not(.filtered)"), (d) => Number(d.dataset.risk))`

// sorts: a click on a heading orders by it, a second one the other way.
func sorts(t *testing.T, p *page) {
	var first, down, up []int
	p.eval(&first, order)
	p.click(".findings > .head > [data-by=risk]")
	p.eval(&down, order)
	p.click(".findings > .head > [data-by=risk]")
	p.eval(&up, order)
	if slices.IsSorted(first) || slices.Equal(first, up) || !slices.IsSorted(up) || len(up) != len(first) {
		t.Errorf("by risk, up: %v", up)
	}
	if slices.Reverse(down); !slices.IsSorted(down) {
		t.Errorf("by risk, down: %v", down)
	}
	var names []string
	p.click(".findings > .head > :nth-child(5)")
	p.eval(&names, `Array.from(document.querySelectorAll(".findings summary > :nth-child(5)"), (e) => e.textContent).filter(Boolean).slice(0, 12)`)
	if want := []string{"1.0.0", "1.1.0", "1.2.0", "1.3.0", "1.4.0", "1.5.0", "1.6.0", "1.7.0", "1.8.0", "1.9.0", "1.10.0", "1.11.0"}; !slices.Equal(names, want) {
		t.Errorf("by version: %v", names)
	}
	var key []int
	p.eval(nil, `document.querySelector(".findings > .head > [data-by=risk]").focus()`)
	p.must(nil, "Input.dispatchKeyEvent", map[string]any{"type": "keyDown", "key": "Enter", "code": "Enter", "windowsVirtualKeyCode": 13})
	p.eval(&key, order)
	if slices.Reverse(key); !slices.IsSorted(key) {
		t.Errorf("by risk, with the keyboard: %v", key)
	}
}

const shown = `Array.from(document.querySelectorAll(".findings .rows > details")).filter((d) => d.getBoundingClientRect().height > 0).length`

// filters: each control hides the rows that it should.
func filters(t *testing.T, p *page) {
	set := func(control, value string) string {
		return fmt.Sprintf(`{const e = document.querySelector("form.controls").elements[%q]; if (e.type === "checkbox") e.checked = %s; else e.value = %s; e.dispatchEvent(new Event("input", {bubbles: true}));}`, control, value, value)
	}
	for _, tt := range []struct {
		control, value, neutral string
		want                    int
	}{
		{"search", `""`, `""`, few}, // all and the secret, without the excepted one
		{"search", `"cve-2026-0007"`, `""`, 1},
		{"search", `"number PACKAGE-5 "`, `""`, 12},
		{"search", `"no such thing"`, `""`, 0},
		{"search", `"evidence 113"`, `""`, 1},
		{"least", `"4"`, `"0"`, few - 1},
		{"kind", `"secret"`, `""`, 1},
		{"fixable", "true", "false", few / 3},
		{"own", "true", "false", few / 2},
		{"excepted", "true", "false", few + 1},
	} {
		var got int
		var said string
		p.eval(nil, set(tt.control, tt.value))
		p.eval(&got, shown)
		p.eval(&said, `document.querySelector("form.controls output").textContent`)
		if want := fmt.Sprintf("%d of %d", tt.want, few+1); got != tt.want || said != want {
			t.Errorf("%s %s: %d rows, it says %q, want %q", tt.control, tt.value, got, said, want)
		}
		p.eval(nil, set(tt.control, tt.neutral))
	}
}

const more = ".findings .rows > details:nth-child(3)"

// opens: a click shows the details of a finding, over most of the page's width.
func opens(t *testing.T, p *page) {
	var before, after struct {
		Height, Share float64
		Text          string
	}
	const measure = `(() => { const m = document.querySelector("` + more + ` .more"), r = m.getBoundingClientRect();
		return {height: m.checkVisibility() ? r.height : 0, share: r.width / document.querySelector(".findings").clientWidth, text: m.innerText}; })()`
	p.eval(&before, measure)
	p.click(more + " > summary")
	p.eval(&after, measure)
	if before.Height != 0 || after.Height < 50 || after.Share < .7 {
		t.Errorf("details: %.0f pixels high before the click, after it %.0f, %.2f of the width", before.Height, after.Height, after.Share)
	}
	for _, want := range []string{"GHSA-0002-xxxx-yyyy", "pkg:npm/package-2@1.2.0", "evidence 2", "https://osv.dev/vulnerability/GHSA-0002-xxxx-yyyy"} {
		if !strings.Contains(after.Text, want) {
			t.Errorf("the details lack %s:\n%s", want, after.Text)
		}
	}
}

// whole: nothing needs JavaScript but sorting and filtering, whose controls then stay away.
func whole(t *testing.T, p *page) {
	var got struct{ Rows, Controls, Layers int }
	p.eval(&got, `({rows: `+shown+`, layers: document.querySelectorAll(".layers rect").length,
		controls: Array.from(document.querySelectorAll("form")).filter((f) => f.checkVisibility()).length})`)
	if got.Rows != few+1 || got.Controls != 0 || got.Layers < 2 {
		t.Errorf("%d rows of %d, %d forms to be seen, %d pieces of bars", got.Rows, few+1, got.Controls, got.Layers)
	}
}

// prints: the links inside the details of every finding are on paper, so the details are.
func prints(t *testing.T, p *page) {
	pdf := string(p.pdf())
	missing := 0
	for i := range few - 1 { // the last one is excepted, and hidden while scripts run
		if !strings.Contains(pdf, fmt.Sprintf("/URI (https://osv.dev/vulnerability/GHSA-%04d-xxxx-yyyy)", i)) {
			missing++
		}
	}
	if missing > 0 {
		t.Errorf("%d of %d findings are not on paper with their details", missing, few-1)
	}
	var open int
	p.eval(&open, `document.querySelectorAll("details[open]").length`)
	if open != 0 {
		t.Errorf("%d findings are left open after printing", open)
	}
}

// narrow: nothing sticks out of a small screen.
func narrow(t *testing.T, p *page) {
	p.must(nil, "Emulation.setDeviceMetricsOverride", map[string]any{"width": 360, "height": 800, "deviceScaleFactor": 1, "mobile": true})
	p.click(more + " > summary")
	var got struct{ Page, Text int }
	p.eval(&got, `({page: document.documentElement.scrollWidth, text: Math.round(document.querySelector("`+more+` dd").getBoundingClientRect().width)})`)
	if got.Page > 360 || got.Text < 200 {
		t.Errorf("on a screen of 360 pixels the page is %d wide, its details %d", got.Page, got.Text)
	}
}

// contrast: every colour of text stands out from the page as WCAG's level AA asks.
func contrast(t *testing.T, p *page) {
	for _, scheme := range []string{"light", "dark"} {
		p.must(nil, "Emulation.setEmulatedMedia", map[string]any{"features": []map[string]string{{"name": "prefers-color-scheme", "value": scheme}}})
		var got map[string]float64
		p.eval(&got, `(() => {
			const luminance = (c) => c.match(/[\d.]+/g).slice(0, 3).map((v) => (v /= 255) <= .04045 ? v / 12.92 : ((v + .055) / 1.055) ** 2.4)
				.reduce((sum, v, i) => sum + v * [.2126, .7152, .0722][i], 0);
			const probe = document.body.appendChild(document.createElement("a")), page = luminance(getComputedStyle(document.body).backgroundColor), out = {};
			probe.href = "https://example.com";
			for (const name of ["", "quiet", "warn", "critical", "high", "medium", "low", "unknown"]) {
				probe.className = name;
				const l = luminance(getComputedStyle(name ? probe : document.body).color);
				out[name || "text"] = (Math.max(l, page) + .05) / (Math.min(l, page) + .05);
			}
			probe.className = "";
			const l = luminance(getComputedStyle(probe).color);
			out.link = (Math.max(l, page) + .05) / (Math.min(l, page) + .05);
			probe.remove();
			return out;
		})()`)
		if len(got) != 9 {
			t.Errorf("%s: looked at %v", scheme, got)
		}
		for name, ratio := range got {
			if ratio < 4.5 {
				t.Errorf("%s: %s has a contrast of %.1f", scheme, name, ratio)
			}
		}
	}
}

// crowded: with many findings the page still does what it is asked to.
func crowded(t *testing.T, p *page) {
	var rows, found int
	var first []int
	p.eval(&rows, shown)
	p.eval(nil, `{const e = document.querySelector("[name=search]"); e.value = "cve-2026-4321"; e.dispatchEvent(new Event("input", {bubbles: true}));}`)
	p.eval(&found, shown)
	if rows != many || found != 1 {
		t.Errorf("%d rows, want %d; %d found, want 1", rows, many, found)
	}
	p.eval(nil, `{const e = document.querySelector("[name=search]"); e.value = ""; e.dispatchEvent(new Event("input", {bubbles: true}));}`)
	p.click(".findings > .head > [data-by=risk]")
	p.click(".findings > .head > [data-by=risk]")
	p.eval(&first, order)
	if len(first) != many || !slices.IsSorted(first) {
		t.Errorf("%d rows after sorting, in order: %v", len(first), slices.IsSorted(first))
	}
}
