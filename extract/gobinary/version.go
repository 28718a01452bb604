package gobinary

import (
	"strings"
)

// standardLibrary is the version of a Go toolchain as OSV orders it: "go1.22.3 X:foo" is
// 1.22.3, "go1.21rc2" is 1.21.0-rc.2. A development version, which stands before or after
// any fix, is "".
func standardLibrary(version string) string {
	v, ok := strings.CutPrefix(strings.TrimSpace(version), "go")
	if !ok {
		return ""
	}
	// Vendors put their mark behind a space, a hyphen or a plus.
	if i := strings.IndexAny(v, " -+"); i >= 0 {
		v = v[:i]
	}
	n := 0
	for n < len(v) && (v[n] == '.' || v[n] >= '0' && v[n] <= '9') {
		n++
	}
	numbers, rest := v[:n], v[n:]
	if !strings.Contains(numbers, ".") || strings.HasSuffix(numbers, ".") || strings.Count(numbers, ".") > 2 {
		return ""
	}
	for _, stage := range []string{"rc", "beta"} {
		if n, ok := strings.CutPrefix(rest, stage); ok {
			if strings.Count(numbers, ".") == 1 {
				numbers += ".0"
			}
			return numbers + "-" + stage + "." + n
		}
	}
	return numbers // also of the old BoringCrypto branch: "1.18.3b7"
}
