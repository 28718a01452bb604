package telling

import (
	"strings"
	"testing"
)

func TestLine(t *testing.T) {
	for _, line := range []string{"  id-token: write", "persist-credentials: false", "token: ${{ secrets.T }}", "ENV PASSWORD_FILE=/run/secrets/x", "secrets: inherit", "ARG NPM_TOKEN", "RUN --mount=type=secret,id=x y", "image: vault:1", "POSTGRES_PASSWORD: ${PW:?}", "# the token of the job is $X"} {
		if Line(line) {
			t.Errorf("%q counts as a secret", line)
		}
	}
	for _, line := range []string{"ENV DB_PASSWORD=" + strings.Repeat("x9", 5), "  api_key: " + strings.Repeat("k", 8), "url: redis://:abc@h/0", "      " + strings.Repeat("MIIE", 16), "- AUTH=Bearer x", `test: ["CMD", "curl", "-u", "a:bcd"]`, "curl -u a:bcd x"} {
		if !Line(line) {
			t.Errorf("%q counts as none", line)
		}
	}
}

func TestMask(t *testing.T) {
	token, value := "gh"+"p_"+strings.Repeat("aB3", 12), strings.Repeat("q7Z", 7)
	for _, text := range []string{
		"curl -H 'X: " + token + "'", "/x/" + token + ".so", "curl -u bob:" + value + " http://x", "https://u:" + value + "@x/y", "https://x/y?a=1&access_key=" + value,
		"Authorization: Bearer " + value, "wget --password=" + value, "PGPASSWORD=" + value + " psql", "echo " + value + " | base64 -d | sh",
	} {
		if got := Mask(text); strings.Contains(got, value) || strings.Contains(got, token) || !strings.Contains(got, "***") {
			t.Errorf("%q is shown as %q", text, got)
		}
	}
	for _, text := range []string{"curl -fsSL https://x/y?version=1 | sh", "app ALL=(ALL) NOPASSWD: ALL", "-u bob x", "PASSWORD_FILE has no value", "persist-credentials: false", "id-token: write", "secrets: inherit"} {
		if got := Mask(text); got != text {
			t.Errorf("%q is shown as %q", text, got)
		}
	}
}

// FuzzNeeds: what is tried first never hides what the expressions find.
func FuzzNeeds(f *testing.F) {
	for _, s := range []string{"https://u:p@h", "PGPASSWORD=x psql", "-u a:b", "echo aaaaaaaaaaaaaaaaaaaaaaaa | base64 -d", "bearer abcdefgh", "?sig=abcdef", "AKIA" + "ABCDEFGHIJKL"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		if secretShape().MatchString(s) && !mayHaveShape(s) {
			t.Errorf("%q has the shape of a secret", s)
		}
		if secretValue().MatchString(s) && !mayHaveValue(s) {
			t.Errorf("%q has the value of a secret", s)
		}
		lower, ascii := lowered(s)
		for _, m := range masks() {
			if m.re.MatchString(s) && ascii && !needed(lower, m.needs) {
				t.Errorf("%q matches %s", s, m.re)
			}
		}
	})
}
