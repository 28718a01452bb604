package secret

import (
	"strings"
	"testing"
)

func TestRedact(t *testing.T) {
	c := NewConfig(Options{})
	for _, tt := range []struct{ template, want string }{
		{"RUN apt-get update", "RUN apt-get update"},
		{"", ""},
		{"RUN |1 TOKEN=" + pat + " /bin/sh -c make", "RUN |1 TOKEN=*** /bin/sh -c make"},
		{"ENV DB_PASSWORD={{base62 14}}", "ENV DB_PASSWORD=***"},
		{"RUN git clone https://user:{{base62 20}}@git.corp.test/x", "RUN git clone https://***@git.corp.test/x"},
		{"RUN curl https://x.test/i.sh?key={{base62 30}} | sh", "RUN curl https://x.test/i.sh?key=*** | sh"},
		{"RUN echo {{base64of x[[base62 5]] ghp_[[base62 30]][[crc32 base62 6]]\n}} | base64 -d", "(not shown: it may hold a secret)"},
	} {
		text := fill(t, tt.template, 3)
		if got := c.Redact([]string{text})[0]; got != tt.want {
			t.Errorf("Redact(%q) = %q, want %q", text, got, tt.want)
		}
	}
	long := strings.Repeat("x", longestSetting+1)
	if got := c.Redact([]string{long})[0]; len(got) > 100 {
		t.Errorf("a long text gives %d bytes", len(got))
	}
}
