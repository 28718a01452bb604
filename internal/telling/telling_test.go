package telling

import (
	"encoding/json"
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

// TestMaskInside masks a secret, and leaves what is around it.
func TestMaskInside(t *testing.T) {
	v := strings.Repeat("q7Z", 4)
	for _, tt := range []struct{ text, want string }{
		{`sh -c "curl -d \"{\\\"password\\\": \\\"` + v + `\\\", \\\"a\\\": 1}\""`, `sh -c "curl -d \"{\\\"password\\\": \\\"***\\\", \\\"a\\\": 1}\""`},
		{`{"app.json": "{\"password\": \"` + v + `\", \"x\`, `{"app.json": "{\"password\": \"***\", \"x\`},
		{`{\"X-Api-Key\": \"` + v + `\", \"b\": \"c\"}`, `{\"X-Api-Key\": \"***\", \"b\": \"c\"}`},
		{"user=root\npassword=" + v + "\nhost=db", "user=root\npassword=***\nhost=db"},
		{"password=\nhost=db", "password=\nhost=db"},
		{"Authorization: " + v + "\nHost: x", "Authorization: ***\nHost: x"},
		{`password=a\b` + v + ` x`, `password=*** x`},
		{`runas /password:` + v + `\ x`, `runas /password:***\ x`},
	} {
		if got := Mask(tt.text); got != tt.want {
			t.Errorf("%s is shown as %s, want %s", tt.text, got, tt.want)
		}
	}
}

func TestMaskJSON(t *testing.T) {
	v := strings.Repeat("q7Z", 4)
	inner := `{\"password\": \"` + v + `\", \"n\": [1, \"<\"]}`
	for _, tt := range []struct{ text, want string }{
		{`{"app.json":"` + inner + `"}`, `{"app.json":"{\"password\": \"***\", \"n\": [1, \"<\"]}"}`},
		{`{"a":"user=root\npassword=` + v + `\nhost=db\n"}`, `{"a":"user=root\npassword=***\nhost=db\n"}`},
		{`{"z.ini":"aws_access_key_id = ` + v + `\nq=\"<a&b>\"","a":"\u00e9\u003c\/"}`, `{"z.ini":"aws_access_key_id = ***\nq=\"<a&b>\"","a":"\u00e9\u003c\/"}`},
		{`{"password":"` + v + ` and more","PIN_TOKEN" : 12345, "tokens":["` + v + `",{"name":"n"},true]}`, `{"password":"***","PIN_TOKEN" : "***", "tokens":["***",{"name":"n"},true]}`},
		{`[{"name":"DB_PASSWORD","value":"` + v + `"},{"name":"PORT","value":"80"}]`, `[{"name":"DB_PASSWORD","value":"***"},{"name":"PORT","value":"80"}]`},
		{`{"automountServiceAccountToken":false,"secret":null,"password":"","token":"${TOKEN}","secretKeyRef":{"name":"db","key":"k"}}`, `{"automountServiceAccountToken":false,"secret":null,"password":"","token":"${TOKEN}","secretKeyRef":{"name":"db","key":"k"}}`},
		{" {\n  \"u\": \"https://u:" + v + "@h/\"\n} ", " {\n  \"u\": \"https://***@h/\"\n} "},
		{`{"resources":["secrets"],"verbs":["get"]}`, `{"resources":["secrets"],"verbs":["get"]}`},
	} {
		if got, ok := MaskJSON(tt.text, 1<<20); got != tt.want || !ok {
			t.Errorf("%s is shown as %s, want %s", tt.text, got, tt.want)
		}
	}
	for _, text := range []string{"", "x", `{"a":`, `"a"`, "[kworker/0:1]", `{"a":1} x`} {
		if got, ok := MaskJSON(text, 100); ok {
			t.Errorf("%s is no document, and is shown as %s", text, got)
		}
	}
	for most := range 60 {
		got, _ := MaskJSON(`{"a":"xxxxxxxxxxxxxxxxxxxx","password":"`+v+`","b":[1,2,3]}`, most)
		if len(got) > most+len(cut) || strings.Contains(got, v[:3]) || !strings.HasSuffix(got, cut) && most < 51 {
			t.Errorf("%d bytes: %s", most, got)
		}
	}
}

// FuzzMaskJSON: a document stays one, of the same shape.
func FuzzMaskJSON(f *testing.F) {
	for _, s := range []string{`{"password":"x","a":[1,{"b":null}]}`, `["{\"token\":\"y\"}"]`, `[[],{}]`, `{"a":"\ud800","b":"\u2028"}`} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		got, ok := MaskJSON(s, 1<<30)
		if ok && !json.Valid([]byte(got)) {
			t.Errorf("%q becomes %q", s, got)
		}
	})
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
