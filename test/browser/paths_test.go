package browser

import (
	"fmt"
	"strings"
	"testing"
)

// TestPaths looks at the page of 500 kinds of attack paths, of workloads of which one has a
// name that means harm.
func TestPaths(t *testing.T) {
	c := start(t)
	file := pathsPage(t)
	t.Run("page", func(t *testing.T) {
		p := c.open(t, file, true)
		var got struct {
			Paths, Shown, Groups, Open, Pwned, Wide, Changes, Tall int
			Said, First                                            string
			Next                                                   bool
		}
		look := func() {
			t.Helper()
			p.eval(&got, `(() => { const rows = [...document.querySelectorAll(".path")], seen = (e) => e.checkVisibility();
				return {paths: rows.length, shown: rows.filter(seen).length, groups: [...document.querySelectorAll(".group")].filter(seen).length,
				open: rows.filter((r) => r.open && seen(r)).length, pwned: window.pwned || 0, wide: document.documentElement.scrollWidth - innerWidth,
				changes: document.querySelectorAll(".changes > li").length, tall: document.documentElement.scrollHeight,
				said: document.querySelector("output").textContent, next: document.querySelector("[name=next]").disabled,
				first: (rows.find(seen) || {innerText: ""}).innerText} })()`)
		}
		search := func(text string) {
			t.Helper()
			p.eval(nil, fmt.Sprintf(`{const s = document.querySelector("[name=search]"); s.value = %q; s.dispatchEvent(new Event("input", {bubbles: true}))}`, text))
			look()
		}
		look()
		if got.Paths < 500 || got.Shown != got.Paths || got.Open != 0 || got.Wide > 0 || got.Pwned != 0 || got.Changes == 0 {
			t.Errorf("at first %+v: want 500 paths at least, all folded, and nothing that is too wide", got)
		}
		if !got.Next {
			t.Error("there is a next path though all are shown")
		}
		whole := got.Tall
		p.eval(nil, `{for (const g of document.querySelectorAll(".group")) g.open = false}`)
		if look(); got.Shown != 0 || got.Tall*3 > whole {
			t.Errorf("folded there are %d paths on %d pixels of %d", got.Shown, got.Tall, whole)
		}
		p.eval(nil, `{for (const g of document.querySelectorAll(".group")) g.open = true}`)
		if search("team-17/app-77 role"); got.Shown != 1 || !strings.Contains(got.First, "app-77") || got.Said != fmt.Sprintf("1 of %d", got.Paths) {
			t.Errorf("searching shows %d paths, %q, and says %q", got.Shown, got.First, got.Said)
		}
		if search("is nowhere"); got.Shown != 0 || got.Groups != 0 {
			t.Errorf("searching in vain shows %d paths in %d groups", got.Shown, got.Groups)
		}
		search("")
		p.click("[name=single]")
		if look(); got.Shown != 1 || got.Open != 1 || !strings.HasPrefix(got.Said, "1 of ") {
			t.Errorf("one at a time there are %d, %d open, and it says %q", got.Shown, got.Open, got.Said)
		}
		one := got.First
		p.click("[name=next]")
		if look(); got.Shown != 1 || got.First == one || !strings.HasPrefix(got.Said, "2 of ") {
			t.Errorf("the next one is %q (%q)", got.First, got.Said)
		}
		p.click("[name=previous]")
		if look(); got.First != one {
			t.Errorf("the one before is %q, was %q", got.First, one)
		}
		p.click("[name=single]")
		if look(); got.Shown != got.Paths || got.Pwned != 0 || got.Open != 0 {
			t.Errorf("in the end %+v", got)
		}
		p.quiet()
	})
	t.Run("without JavaScript", func(t *testing.T) {
		p := c.open(t, file, false)
		var got struct {
			Form  bool
			Paths int
		}
		p.eval(&got, `({form: document.querySelector("form").hidden, paths: document.querySelectorAll(".path").length})`)
		if !got.Form || got.Paths < 500 {
			t.Errorf("form hidden %v, %d paths", got.Form, got.Paths)
		}
		p.quiet()
	})
}

// pathsPage writes the page of a made-up cluster, in which each workload is another identity of
// a cloud.
func pathsPage(t *testing.T) string {
	t.Helper()
	var b strings.Builder
	const app = "---\napiVersion: v1\nkind: ServiceAccount\nmetadata: {name: %[1]q, namespace: %[2]q, annotations: {eks.amazonaws.com/role-arn: %[3]q}}\n" +
		"---\napiVersion: apps/v1\nkind: Deployment\nmetadata: {name: %[1]q, namespace: %[2]q}\nspec:\n  selector: {matchLabels: {app: a}}\n  template:\n    metadata: {labels: {app: a}}\n    spec: {serviceAccountName: %[1]q, containers: [{name: c, image: x}]}\n"
	for i := range 500 {
		fmt.Fprintf(&b, app, fmt.Sprintf("app-%d", i), fmt.Sprintf("team-%02d", i%20), fmt.Sprintf("arn:aws:iam::1:role/r-%d", i))
	}
	fmt.Fprintf(&b, app, evil, evil, "arn:aws:iam::1:role/"+evil)
	return made(t, b.String(), "paths")
}
