package scan_test

import (
	"context"
	"strings"
	"testing"

	"bulwark"
	"bulwark/scan"
)

// held is an extractor that tells of packages by lines, FORMAT NAME PATH; "owns NAME PATH" is a list of files.
type held struct{ lines []string }

func (held) Info() bulwark.Info { return bulwark.Info{Name: "extract/held", Version: 1} }

func (held) Wants(f *bulwark.FileInfo) bool { return strings.HasSuffix(f.Base, ".facts") }

func (h held) Extract(context.Context, *bulwark.File) (facts bulwark.Facts, err error) {
	for _, line := range h.lines {
		words := strings.Fields(line)
		if words[0] == "owns" {
			facts.Owned = append(facts.Owned, bulwark.Owned{Package: words[1], Paths: words[2:]})
			continue
		}
		facts.Packages = append(facts.Packages, bulwark.Package{Format: words[0], Name: words[1], PURL: "pkg:" + words[0] + "/" + words[1], Path: words[2]})
	}
	return facts, nil
}

func job(t *bulwark.Target) scan.Job {
	return scan.Job{Ref: "x", Open: func(context.Context) (*bulwark.Target, error) { return t, nil }}
}

// TestLoaded holds which packages are in use by what was loaded.
func TestLoaded(t *testing.T) {
	facts := []string{
		"deb libssl3 var/lib/dpkg/status", "owns libssl3 usr/lib/x86_64-linux-gnu/libssl.so.3",
		"deb libc6 var/lib/dpkg/status", "owns libc6 lib/x86_64-linux-gnu/libc.so.6", // as it was before the folders were merged
		"deb perl var/lib/dpkg/status", "owns perl usr/bin/perl",
		"deb unlisted var/lib/dpkg/status",
		"npm express app/node_modules/express/package.json", "npm qs app/node_modules/express/node_modules/qs/package.json", "npm left app/node_modules/left/package.json",
		"gem rack usr/lib/ruby/gems/specifications/rack-2.1.gemspec", "gem idle usr/lib/ruby/gems/specifications/idle-1.0.gemspec",
		"golang stdlib app/server", "golang tool app/tool",
		"maven spring app/x.jar!BOOT-INF/lib/spring.jar", "maven other app/y.jar",
		"pypi six usr/lib/python3/dist-packages/six-1.dist-info/METADATA",
	}
	loaded := []string{
		"/usr/lib/x86_64-linux-gnu/libssl.so.3", "/usr/lib/x86_64-linux-gnu/libc.so.6", "/app/node_modules/express/lib/x.js", "/app/server", "/app/x.jar",
		"/usr/lib/ruby/gems/gems/rack-2.1/lib/rack.rb", "../../etc/passwd", "",
	}
	used := map[string]bool{"libssl3": true, "libc6": true, "perl": false, "express": true, "qs": false, "left": false, "rack": true, "idle": false, "stdlib": true, "tool": false, "spring": true, "other": false}
	for _, enough := range []bool{true, false} {
		s := scan.Scanner{Extractors: []bulwark.Extractor{held{facts}}, Loaded: []*scan.Loaded{{For: []string{"sha256:other"}}, {Files: loaded, Enough: enough, For: []string{"sha256:x"}, By: "a test"}}}
		target := image(files("all.facts"))
		target.Image.ConfigDigest = "sha256:x"
		var r bulwark.Report
		if _, err := s.Scan(t.Context(), []scan.Job{job(target)}, &r); err != nil {
			t.Fatal(err)
		}
		if len(r.Packages) == 0 {
			t.Fatal("no packages")
		}
		for _, p := range r.Packages {
			want, known := used[p.Name]
			known = known && (want || enough)
			if (p.InUse != nil) != known || known && *p.InUse != want {
				t.Errorf("enough %v: %s in use: %v, want %v %v", enough, p.Name, p.InUse, known, want)
			}
		}
	}
}

// TestLoadedOfOthers holds that what was loaded of another image marks nothing, and that this is told.
func TestLoadedOfOthers(t *testing.T) {
	s := scan.Scanner{Extractors: []bulwark.Extractor{held{[]string{"golang x app/x"}}}, Loaded: []*scan.Loaded{{Files: []string{"/app/x"}, Enough: true, For: []string{"sha256:other"}}}}
	var r bulwark.Report
	if _, err := s.Scan(t.Context(), []scan.Job{job(image(files("all.facts")))}, &r); err != nil {
		t.Fatal(err)
	}
	for _, p := range r.Packages {
		if p.InUse != nil {
			t.Errorf("%s is marked", p.Name)
		}
	}
	told := false
	for _, n := range r.Notes {
		told = told || n.Plugin == "scan/in-use"
	}
	if !told {
		t.Errorf("notes %v", r.Notes)
	}
}
