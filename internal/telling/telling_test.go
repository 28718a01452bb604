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
	for _, line := range []string{"ENV DB_PASSWORD=" + strings.Repeat("x9", 5), "  api_key: " + strings.Repeat("k", 8), "url: redis://:abc@h/0", "      " + strings.Repeat("MIIE", 16), "- AUTH=Bearer x"} {
		if !Line(line) {
			t.Errorf("%q counts as none", line)
		}
	}
}
