package secret

import (
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"testing"

	"bulwark"
	"bulwark/check/secret/internal/rule"
)

func TestConfig(t *testing.T) {
	strong, arg := fill(t, pat, 3), fill(t, "{{base62 24}}", 4)
	config, err := json.Marshal(map[string]any{"config": map[string]any{
		"Env":         []string{"PATH=/usr/bin", "DB_PASSWORD=hunter2hunter2", "GITHUB=" + strong, "PASSWORD_FILE=/run/secrets/x", "KEY_ID=12345678"},
		"Labels":      map[string]string{"db.url": "postgres://u:" + arg + "@db/x", "maintainer": "someone"},
		"Cmd":         []string{"serve", "--api-key=" + arg + "cmd"},
		"Healthcheck": map[string]any{"Test": []string{"CMD-SHELL", "curl -H 'token: " + arg + "hc' localhost"}},
	}})
	if err != nil {
		t.Fatal(err)
	}
	target := &bulwark.Target{Image: &bulwark.Image{Config: config, History: []bulwark.History{
		{CreatedBy: "/bin/sh -c #(nop)  ENV DB_PASSWORD=hunter2hunter2"},
		{CreatedBy: "|1 NPM_TOKEN=" + arg + "arg /bin/sh -c npm ci"},
		{CreatedBy: "ENV OLD_SECRET=" + arg + "old"},
		{CreatedBy: "RUN echo " + fill(t, pat, 5)},
		{CreatedBy: "RUN |2 A=1 GH=" + fill(t, pat, 6) + " /bin/sh -c npm ci # buildkit"},
		{CreatedBy: "RUN |1 A=1 /bin/sh -c echo " + fill(t, pat, 7) + " # buildkit"},
		{CreatedBy: "ARG TOKEN=" + fill(t, pat, 9)},
	}, Annotations: map[string]string{"note": fill(t, pat, 8)}}}
	c := &Check{rules: func() ([]*rule.Rule, error) { return testRules(t), nil }}
	var got []string
	emit := func(r bulwark.Record) {
		b, err := json.Marshal(r)
		if err != nil {
			t.Fatal(err)
		}
		for _, v := range []string{"hunter2", strong, arg} {
			if strings.Contains(string(b), v) {
				t.Errorf("a value leaks: %s", b)
			}
		}
		got = append(got, r.Finding.Rule+" "+r.Finding.Subject)
	}
	if err := c.Check(t.Context(), target, nil, emit); err != nil {
		t.Fatal(err)
	}
	want := []string{
		"secret/generic-secret ENV DB_PASSWORD", "secret/github ENV GITHUB", "secret/url LABEL db.url", "secret/github ANNOTATION note", "secret/generic-secret CMD api-key",
		"secret/generic-secret HEALTHCHECK token", "secret/generic-secret ARG NPM_TOKEN", "secret/generic-secret ENV OLD_SECRET", "secret/github history line 4",
		"secret/github ARG GH", "secret/github history line 6", "secret/github ARG TOKEN",
	}
	if !slices.Equal(got, want) {
		t.Errorf("got  %q\nwant %q", got, want)
	}
	target.Image.Config = config[:40]
	if err := c.Check(t.Context(), target, nil, func(bulwark.Record) {}); !errors.Is(err, bulwark.ErrMalformed) {
		t.Errorf("half a configuration: %v", err)
	}
}
