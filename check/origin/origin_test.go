package origin

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"bulwark"
	"bulwark/build/dockerfile"
)

const file = `FROM alpine:3.20
RUN apk add curl && wget http://user:hunter22@mirror.test/x
COPY app /srv/app
ENV MODE=production \
    DB_PASSWORD=hunter22
EXPOSE 22 8080
ARG TOKEN
RUN make
CMD ["/srv/app"]
`

func target() *bulwark.Target {
	t := &bulwark.Target{Asset: bulwark.Asset{Kind: "image", Name: "app:1"}, Absolute: true, Image: &bulwark.Image{History: []bulwark.History{
		{CreatedBy: "ADD alpine.tar.gz / # buildkit"}, {CreatedBy: `CMD ["/bin/sh"]`, Empty: true},
		{CreatedBy: "RUN /bin/sh -c apk add curl && wget http://user:hunter22@mirror.test/x # buildkit"}, {CreatedBy: "COPY app /srv/app # buildkit"},
		{CreatedBy: "ENV MODE=production DB_PASSWORD=hunter22", Empty: true}, {CreatedBy: "EXPOSE map[22/tcp:{} 8080/tcp:{}]", Empty: true},
		{CreatedBy: "ARG TOKEN", Empty: true}, {CreatedBy: "RUN |1 TOKEN=x /bin/sh -c make # buildkit"}, {CreatedBy: `CMD ["/srv/app"]`, Empty: true}}}}
	for _, id := range []string{"base", "apk", "app", "make"} {
		t.Layers = append(t.Layers, bulwark.Layer{DiffID: id})
	}
	return t
}

func found() []bulwark.Finding {
	return []bulwark.Finding{
		{Kind: bulwark.KindVulnerability, Rule: "vuln/x", Subject: "pkg:apk/curl", Path: "lib/apk/db/installed", Layer: "apk", Evidence: []string{"before"}},
		{Kind: bulwark.KindSecret, Rule: "secret/x", Path: "srv/app/key", Layer: "app", Line: 7},
		{Kind: bulwark.KindMisconfig, Rule: "image/env-secret", Subject: "ENV DB_PASSWORD", Fix: &bulwark.Fix{Text: "leave it"}},
		{Kind: bulwark.KindMisconfig, Rule: "image/remote-access-port", Subject: "EXPOSE 22"},
		{Kind: bulwark.KindMisconfig, Rule: "image/root-user", Subject: "USER"},
		{Kind: bulwark.KindSecret, Rule: "secret/x", Subject: "ARG TOKEN"},
		{Kind: bulwark.KindSecret, Rule: "secret/x", Subject: "history line 3 x"},
		{Kind: bulwark.KindVulnerability, Rule: "vuln/x", Path: "bin/busybox", Layer: "base"},
		{Kind: bulwark.KindMisconfig, Rule: "image/env-secret", Subject: "ENV OTHER"},
		{Kind: bulwark.KindEOL, Rule: "eol/alpine", Subject: "alpine"},
	}
}

func judged() []bulwark.Finding {
	patch := func(rule string, line int) bulwark.Finding {
		return bulwark.Finding{Rule: rule, Places: []bulwark.Place{{Path: "Dockerfile", Line: line}}, Fix: &bulwark.Fix{Text: "t", Patch: &bulwark.Patch{Text: rule}}}
	}
	return []bulwark.Finding{patch("dockerfile/root-user", 9), patch("dockerfile/secret-in-env", 5), patch("dockerfile/ssh-port", 99)}
}

func TestTrace(t *testing.T) {
	d, err := New("Dockerfile", []byte(file), judged())
	if err != nil {
		t.Fatal(err)
	}
	list := found()
	if notes := d.Trace(target(), list); len(notes) > 0 {
		t.Fatal(notes)
	}
	for i, want := range []struct {
		line         int
		shown, patch string
	}{
		{2, "Dockerfile:2: RUN apk, wget", ""}, {3, "Dockerfile:3: COPY app, /srv/app", ""},
		{5, "Dockerfile:5: ENV MODE, DB_PASSWORD", "dockerfile/secret-in-env"}, {6, "Dockerfile:6: EXPOSE 22, 8080", ""}, {1, "Dockerfile:1: FROM alpine:3.20", "dockerfile/root-user"},
		{7, "Dockerfile:7: ARG TOKEN", ""}, {2, "Dockerfile:2: RUN apk, wget", ""}, {}, {}, {},
	} {
		f := &list[i]
		line, patch := 0, ""
		if f.Origin != nil {
			line = f.Origin.Line
		}
		if f.Fix != nil && f.Fix.Patch != nil {
			patch = f.Fix.Patch.Text
		}
		if line != want.line || patch != want.patch || want.line > 0 && !slices.Contains(f.Evidence, want.shown) {
			t.Errorf("%s %s: line %d, patch %q, %q, want %+v", f.Rule, f.Subject, line, patch, f.Evidence, want)
		}
		if s := strings.Join(f.Evidence, " "); strings.Contains(s, "hunter22") {
			t.Errorf("a secret is shown: %q", s)
		}
		if f.Path != found()[i].Path || f.Line != found()[i].Line {
			t.Errorf("the place has changed: %+v", f)
		}
	}
}

// TestNothingClaimed: where the Dockerfile is not that of the image, a note says so, and
// findings stay as they are.
func TestNothingClaimed(t *testing.T) {
	for name, tt := range map[string]struct {
		file   string
		change func(*bulwark.Target)
		want   string
	}{
		"changed":   {strings.Replace(file, "RUN make", "RUN make all", 1), func(*bulwark.Target) {}, "does not fit the history of app:1, so nothing is traced to it: line 8 (RUN)"},
		"no image":  {file, func(t *bulwark.Target) { t.Image = nil }, "is no image"},
		"squashed":  {file, func(t *bulwark.Target) { t.Image.History = t.Image.History[:1] }, "does not fit"},
		"no layers": {file, func(t *bulwark.Target) { t.Layers = t.Layers[:2] }, "files are not traced"},
		"one layer": {file, func(t *bulwark.Target) {
			for i := range t.Image.History {
				t.Image.History[i].Empty = i > 0 && i < 8
			}
			t.Layers = t.Layers[:2]
		}, "files are not traced"},
		"a stage": {file + "FROM alpine\nRUN x\n", func(*bulwark.Target) {}, "from the stage of line 1"},
	} {
		d, err := New("Dockerfile", []byte(tt.file), nil)
		if err != nil {
			t.Fatal(err)
		}
		image, list := target(), found()
		tt.change(image)
		notes := d.Trace(image, list)
		if len(notes) != 1 || !strings.Contains(notes[0].Text, tt.want) || notes[0].Path != "Dockerfile" {
			t.Errorf("%s: %v, want %q", name, notes, tt.want)
		}
		if name == "a stage" {
			continue
		}
		for i := range list {
			if list[i].Origin != nil && (!strings.Contains(tt.want, "files") || list[i].Layer != "") {
				t.Errorf("%s: %+v is traced", name, list[i])
			}
		}
	}
	if _, err := New("x", []byte(""), nil); !errors.Is(err, bulwark.ErrMalformed) {
		t.Errorf("an empty file: %v", err)
	}
}

func TestLayerTwice(t *testing.T) {
	image := target()
	image.Layers[2].DiffID = "apk"
	if of := layersOf(image, make([]*dockerfile.Instruction, 9)); of["apk"] != -1 || of["base"] != 0 {
		t.Errorf("%v", of)
	}
}
