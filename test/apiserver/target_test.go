//go:build linux

package apiserver

import (
	"encoding/json"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"bulwark/test/apiserver/harness"
	"bulwark/test/internal/synth"
)

// attackPaths is what paths says, without when and of what.
func attackPaths(t *testing.T, config, target string, args ...string) map[string]any {
	t.Helper()
	out, _, took, rss := run(t, config, append([]string{"paths", target, "-f", "json", "--now", "2026-11-01T00:00:00Z"}, args...)...)
	said := map[string]any{}
	if err := json.Unmarshal(out, &said); err != nil {
		t.Fatal(err)
	}
	delete(said, "run")
	kind, _, _ := strings.Cut(target, ":")
	t.Logf("paths %s: %v, %d MB, %d relations, %d paths", kind, took.Round(time.Millisecond), rss>>20, len(said["relations"].([]any)), len(said["paths"].([]any)))
	return said
}

// TestSnapshotAnswersAsTheClusterDoes asks for paths and connections of a cluster, and of its
// snapshot when the cluster is gone.
func TestSnapshotAnswersAsTheClusterDoes(t *testing.T) {
	config := harness.Canned(t, synth.Cluster(7, 300))
	file := filepath.Join(t.TempDir(), "a.snap")
	run(t, config, "snapshot", "cluster", "-o", file)
	none := filepath.Join(t.TempDir(), "none")

	live, saved := attackPaths(t, config, "cluster"), attackPaths(t, none, "snapshot:"+file)
	if len(live["paths"].([]any)) == 0 {
		t.Error("the cluster has no paths")
	}
	if diff := cmp.Diff(live, saved); diff != "" {
		t.Errorf("paths of the snapshot are others (-live +saved):\n%.4000s", diff)
	}
	for _, format := range []string{"text", "json"} {
		live, _, _, _ := run(t, config, "network", "list", "cluster", "-f", format)
		saved, _, _, _ := run(t, none, "network", "list", "snapshot:"+file, "-f", format)
		if len(live) < 1000 {
			t.Errorf("network list of the cluster says %.500s", live)
		}
		if diff := cmp.Diff(strings.Split(string(live), "\n"), strings.Split(string(saved), "\n")); diff != "" {
			t.Errorf("network list -f %s of the snapshot is another (-live +saved):\n%.4000s", format, diff)
		}
	}
	exposed, _, _, _ := run(t, config, "network", "exposed", "cluster")
	later, _, _, _ := run(t, none, "network", "exposed", "snapshot:"+file)
	if diff := cmp.Diff(string(exposed), string(later)); diff != "" {
		t.Errorf("network exposed of the snapshot is another (-live +saved):\n%.4000s", diff)
	}
}

// TestLargePaths holds paths over a cluster of 10,000 pods to its budget of memory, and tells
// how long they take: a busy machine fails no test.
func TestLargePaths(t *testing.T) {
	if testing.Short() {
		t.Skip("it takes seconds")
	}
	config := harness.Canned(t, synth.Cluster(1, 10_000))
	for _, args := range [][]string{{"paths", "cluster"}, {"network", "exposed", "cluster"}} {
		out, _, took, rss := run(t, config, args...)
		t.Logf("%v: %v, %d MB, %d bytes", args, took.Round(time.Millisecond), rss>>20, len(out))
		if rss > 500<<20 {
			t.Errorf("%v took %d MB", args, rss>>20)
		}
	}
}
