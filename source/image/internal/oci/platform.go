package oci

import (
	"fmt"
	"runtime"
	"slices"
	"strings"

	"bulwark"
)

// Platform is what an image runs on.
type Platform struct {
	OS           string `json:"os"`
	Architecture string `json:"architecture"`
	Variant      string `json:"variant"`
}

// ParsePlatform reads OS/ARCH or OS/ARCH/VARIANT; nothing is the zero Platform, which
// leaves the choice open.
func ParsePlatform(s string) (Platform, error) {
	if s == "" {
		return Platform{}, nil
	}
	parts := strings.Split(s, "/")
	if len(parts) < 2 || len(parts) > 3 || slices.Contains(parts, "") {
		return Platform{}, fmt.Errorf("platform %q is not OS/ARCH or OS/ARCH/VARIANT: %w", s, bulwark.ErrMalformed)
	}
	p := Platform{OS: parts[0], Architecture: parts[1]}
	if len(parts) == 3 {
		p.Variant = parts[2]
	}
	return p, nil
}

func (p Platform) String() string {
	return strings.TrimSuffix(p.OS+"/"+p.Architecture+"/"+p.Variant, "/")
}

// arch is the architecture with its variant: arm/v7.
func (p Platform) arch() string {
	return strings.TrimSuffix(p.Architecture+"/"+p.Variant, "/")
}

// runs tells whether an image for p serves who wants w.
func (p Platform) runs(w Platform) bool {
	return p.OS == w.OS && p.Architecture == w.Architecture &&
		(w.Variant == "" || p.variant() == w.variant())
}

// variant with the name of the usual one filled in.
func (p Platform) variant() string {
	switch {
	case p.Variant == "" && p.Architecture == "arm64":
		return "v8"
	case p.Variant == "" && p.Architecture == "arm":
		return "v7"
	}
	return p.Variant
}

// local is what is chosen when nobody says: Linux on this machine's architecture, else
// on amd64.
var local = []Platform{{OS: "linux", Architecture: runtime.GOARCH}, {OS: "linux", Architecture: "amd64"}}
