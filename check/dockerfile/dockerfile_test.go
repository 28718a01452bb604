package dockerfile

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"

	"bulwark"
)

// TestPlaces: one problem is one finding of a file, as bad as its worst place.
func TestPlaces(t *testing.T) {
	list, _ := judged(t, Options{}, document("a/Dockerfile", "FROM debian AS a\nFROM debian AS b\nUSER 1\nRUN curl -L https://x.example/a.tgz | tar xz\nRUN curl -L http://x.example/b.tgz | tar xz\nRUN curl -o c https://x.example/c && chmod +x c\n"))
	find := func(rule string) *bulwark.Finding {
		i := slices.IndexFunc(list, func(f *bulwark.Finding) bool { return f.Rule == "dockerfile/"+rule })
		if i < 0 {
			t.Fatalf("no %s in %d findings", rule, len(list))
		}
		return list[i]
	}
	f := find("latest-tag")
	if len(f.Places) != 2 || f.Places[1] != (bulwark.Place{Path: "a/Dockerfile", Line: 2}) || f.Line != 1 || f.Path != "a/Dockerfile" || f.Kind != bulwark.KindMisconfig || f.Risk == 0 {
		t.Errorf("%+v", f)
	}
	if f.Asset != "" || f.Layer != "" {
		t.Errorf("the engine's fields are set: %+v", f)
	}
	if f := find("download-not-verified"); slices.Contains(f.Tags, "hygiene") {
		t.Errorf("a download that is made executable counts as hygiene: %+v", f)
	}
	keys := map[string]bool{}
	for _, f := range list {
		if keys[f.Key] {
			t.Errorf("two findings of key %s: %s %s", f.Key, f.Rule, f.Subject)
		}
		keys[f.Key] = true
	}
	moved, _ := judged(t, Options{}, document("a/Dockerfile", "# a comment\n\nFROM debian AS a\n"))
	if !slices.ContainsFunc(moved, func(g *bulwark.Finding) bool { return g.Key == f.Key || g.Key == find("latest-tag").Key }) {
		t.Errorf("the key of a finding changes with its line")
	}
}

func TestIgnoreFiles(t *testing.T) {
	for path, want := range map[string]bool{
		"": true, ".dockerignore": false, "a/.dockerignore": false, "a/b/.dockerignore": false, "a/b/Dockerfile.dockerignore": false,
		"c/.dockerignore": true, "a/b/Other.dockerignore": true, "a/b/c/.dockerignore": true,
	} {
		docs := []bulwark.Document{document("a/b/Dockerfile", "FROM x:1\nCOPY . /a\n")}
		if path != "" {
			docs = append(docs, bulwark.Document{Kind: "dockerignore", Path: path, Data: []byte(".git")})
		}
		list, _ := judged(t, Options{}, docs...)
		if got := slices.ContainsFunc(list, func(f *bulwark.Finding) bool { return f.Rule == copyAll.ID }); got != want {
			t.Errorf("with %q found %v, want %v", path, got, want)
		}
	}
}

// TestRedacted: no secret is shown, wherever it stands.
func TestRedacted(t *testing.T) {
	secret := strings.Join([]string{"hunter2", "Xq9Zk3Lm8"}, "")
	for _, text := range []string{
		"ENV DB_PASSWORD=%s", "ENV DB_PASSWORD %s", "ENV A=b \\\n API_TOKEN=\"%s\"", "ARG NPM_TOKEN=%s", "RUN echo root:%s | chpasswd", "RUN useradd -p %s x", "RUN echo %s | passwd --stdin root",
		"RUN curl http://user:%s@x.example/a | sh", "RUN git clone https://%s@x.example/r", "RUN curl -k -H 'Authorization: Bearer %s' https://x.example/a", "RUN curl -k -u user:%s https://x.example/a",
		"RUN curl http://x.example/a?token=%s -O", "RUN sudo DB_PASSWORD=%s x", "RUN pip install --extra-index-url https://user:%s@x.example/simple a", "ADD https://user:%s@x.example/a /a",
		"RUN wget --no-check-certificate --password=%s https://x.example/a", "RUN wget --no-check-certificate --password %s https://x.example/a", "RUN export SECRET_KEY=%s && chmod 777 /x", "RUN curl -k -H \"X-Api-Key: %s\" https://x.example/a",
		"RUN curl -k --header 'PRIVATE-TOKEN: %s' https://x.example/a", "RUN sudo mysql --password=%s", "BASH password=%s", "FROM x.example/a:1\nCMD run --token %s",
	} {
		list, notes := judged(t, Options{}, document("Dockerfile", "FROM debian\n"+fmt.Sprintf(text, secret)+"\n"))
		if len(list) < 3 {
			t.Errorf("%q: only %d findings", text, len(list))
		}
		for _, f := range list {
			shown := fmt.Sprint(f.Title, f.Subject, f.Evidence, f.Fix.Text, notes)
			if strings.Contains(shown, secret) {
				t.Errorf("%q is shown by %s: %s", text, f.Rule, shown)
			}
		}
	}
}

func TestBroken(t *testing.T) {
	list, notes := judged(t, Options{}, document("Dockerfile", "FROM x\nRUN <<EOF\n\x1b[31m\n"), document("b/Dockerfile", "FROM x\n"), bulwark.Document{Kind: "compose", Path: "compose.yaml", Data: []byte("FROM")})
	if len(notes) != 1 || strings.Contains(notes[0], "\x1b") || !strings.Contains(notes[0], "line 2") || len(list) == 0 {
		t.Errorf("notes %q, %d findings", notes, len(list))
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := New(Options{}).Check(ctx, &bulwark.Target{}, &bulwark.Inventory{Documents: []bulwark.Document{document("a", "FROM x")}}, func(bulwark.Record) {}); err == nil {
		t.Error("a cancelled check returns no error")
	}
}

// TestHostile builds files that would cost time or memory without bounds: of 1 MB, as the
// largest that is kept, or with as many instructions as are read.
func TestHostile(t *testing.T) {
	if testing.Short() {
		t.Skip("-short: much data, which the race detector takes minutes for; the other pass of make test runs it")
	}
	const size = 1 << 20
	for name, line := range map[string]string{
		"copies": "COPY a b\n", "adds": "ADD a /b\n", "secrets": "ENV A_PASSWORD=b\n", "stages": "FROM a AS b\n", "chain": "FROM b AS b\nCOPY a .\n", "runs": "RUN curl -k http://x/a|sh\n", "users": "USER root\nCMD a\n",
		"exposes": "EXPOSE 22 a\n", "clones": "RUN git clone a;apt-get install b;pip install c\n", "problems": "X\n", "continued": "RUN a \\\n", "mounts": "RUN --mount=type=secret,id=a cp /run/secrets/a /b\n",
	} {
		times := size / len(line)
		if !strings.HasSuffix(line, "\\\n") {
			times = min(times, 9900) // more instructions are refused
		}
		text := "FROM x\n" + strings.Repeat(line, times) + "\nRUN a\n"
		list, notes := judged(t, Options{}, document("Dockerfile", text))
		t.Logf("%s: %d findings, %d notes", name, len(list), len(notes))
		for _, f := range list {
			if len(f.Places) > mostPlaces || len(f.Evidence) > mostEvidence+1 {
				t.Errorf("%s: %d places, %d texts", name, len(f.Places), len(f.Evidence))
			}
		}
	}
	for name, text := range map[string]string{
		"one script":    "RUN " + strings.Repeat("curl -k http://x/a;", 3300),
		"one pipe":      "RUN " + strings.Repeat("curl x|", 9000) + "sh",
		"long heredoc":  "RUN <<E\n" + strings.Repeat("curl http://x/a|sh\n", 50000) + "E\n",
		"names":         "ENV " + strings.Repeat("A_TOKEN=b ", 6000),
		"different":     different(9000),
		"continuations": "ENV " + strings.Repeat("A_TOKEN=b \\\n", 80000) + "B=c",
	} {
		list, notes := judged(t, Options{}, document("Dockerfile", "FROM x\n"+text+"\n"))
		t.Logf("%s: %d findings, %d notes %.100q", name, len(list), len(notes), notes)
		if len(list) > mostFindings {
			t.Errorf("%s: %d findings", name, len(list))
		}
	}
}

// different has many findings that are no places of one.
func different(n int) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, "ENV P%d_PASSWORD=x\n", i)
	}
	return b.String()
}

func FuzzCheck(f *testing.F) {
	for _, ex := range examples {
		for _, text := range append(ex.bad, ex.good...) {
			f.Add([]byte("FROM x AS y\n" + text + "\n"))
		}
	}
	f.Add([]byte("FROM x AS y\nCOPY --chmod=07"))
	f.Fuzz(func(t *testing.T, data []byte) {
		docs := []bulwark.Document{{Kind: "dockerfile", Path: "Dockerfile", Data: data}}
		o := Options{Registries: []string{"docker.io"}, Resolve: func(context.Context, string) (string, error) { return "sha256:" + strings.Repeat("0", 64), nil }}
		lines := strings.Count(string(data), "\n") + 1
		keys := map[string]bool{}
		err := New(o).Check(t.Context(), &bulwark.Target{}, &bulwark.Inventory{Documents: docs}, func(r bulwark.Record) {
			if r.Note != nil {
				return
			}
			f := r.Finding
			if keys[f.Key] || f.Line < 1 || f.Line > lines || f.Fix == nil || len(f.Evidence) == 0 {
				t.Errorf("%+v", f)
			}
			keys[f.Key] = true
			for _, e := range append(f.Evidence, f.Subject, f.Fix.Text) {
				if strings.ContainsAny(e, "\x1b\n\r\x00") || len(e) > 300 {
					t.Errorf("%s shows %q", f.Rule, e)
				}
			}
		})
		if err != nil {
			t.Fatal(err)
		}
	})
}
