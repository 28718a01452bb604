package digest

import (
	"errors"
	"strings"
	"testing"

	"bulwark"
)

func TestCheck(t *testing.T) {
	hex := strings.Repeat("a", 64)
	for d, want := range map[string]error{
		"sha256:" + hex: nil, "sha512:" + hex + hex: nil,
		"sha256:" + hex[1:]: bulwark.ErrMalformed, "sha256:" + strings.ToUpper(hex): bulwark.ErrMalformed,
		"sha256:../" + hex[3:]: bulwark.ErrMalformed, hex: bulwark.ErrMalformed, "": bulwark.ErrMalformed,
		"md5:" + hex[:32]: bulwark.ErrUnsupported,
	} {
		if err := Check(d); !errors.Is(err, want) {
			t.Errorf("Check(%q) = %v, want %v", d, err, want)
		}
	}
}

func TestBytes(t *testing.T) {
	d := Of([]byte("x"))
	if err := Bytes([]byte("x"), d, "it"); err != nil {
		t.Error(err)
	}
	if err := Bytes([]byte("y"), d, "it"); !errors.Is(err, bulwark.ErrUntrusted) {
		t.Errorf("other bytes: %v", err)
	}
	if got, want := Path(d), "blobs/sha256/"+d[7:]; got != want {
		t.Errorf("Path = %s, want %s", got, want)
	}
}
