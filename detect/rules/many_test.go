package rules

import (
	"fmt"
	"runtime"
	"strings"
	"testing"
)

// manyRulesFile has n rules that each have something of their own.
func manyRulesFile(n int) File {
	var b strings.Builder
	b.WriteString("- macro: box\n  condition: container.id != host\n")
	for i := range n {
		fmt.Fprintf(&b, "- rule: R%d\n  desc: d\n  condition: evt.type in (open, openat) and box and fd.name startswith /x/%d/ and not proc.name in (a%d, b%d)\n  output: o %%fd.name %%proc.cmdline\n  priority: INFO\n", i, i, i, i)
	}
	return File{"many.yaml", []byte(b.String())}
}

// TestManyRules: rules by the thousand are ready soon, in memory that their number explains, and are all tried.
func TestManyRules(t *testing.T) {
	const n = 10_000
	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	d, problems := New(Options{Files: []File{manyRulesFile(n)}})
	if len(problems) > 0 || d.Len() != n {
		t.Fatalf("%d rules, %v", d.Len(), problems)
	}
	want := d.Interest()
	runtime.GC()
	runtime.ReadMemStats(&after)
	if kept := after.HeapAlloc - before.HeapAlloc; kept > n*16<<10 {
		t.Errorf("%d bytes are kept for a rule", kept/n)
	}
	if made := after.TotalAlloc - before.TotalAlloc; made > n*64<<10 {
		t.Errorf("%d bytes are taken to make a rule", made/n)
	}
	e := opened(fmt.Sprintf("/x/%d/f", n-1), 0, 5)
	if got := d.Observe(e); len(got) != 1 || got[0].Title != fmt.Sprintf("R%d", n-1) || !admits(want, e) {
		t.Errorf("%v", got)
	}
}
