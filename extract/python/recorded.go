package python

import (
	"encoding/base64"
	"path"
	"strings"

	"bulwark"
	"bulwark/extract/internal/distro"
	"bulwark/extract/internal/lang"
)

// maxRecord bounds a RECORD; the largest known ones have 2 MB.
const maxRecord = 32 << 20

// recorded reads the digests of an installed wheel's modules
// (https://packaging.python.org/en/latest/specifications/recording-installed-packages/):
// lines of path, "sha256=" and a digest in URL-safe base64, and size. What lies outside
// the folder of the distribution (programs in bin) is left out: installers write
// their interpreter's path into it, some without telling the record. So is what has no
// digest, or one of another kind.
func recorded(f *bulwark.File) (bulwark.Facts, error) {
	data, err := lang.ReadAll(f, maxRecord)
	if err != nil {
		return bulwark.Facts{}, err
	}
	name, _ := folderName(f.Path)
	r := bulwark.Recorded{Package: name, Format: "pypi"}
	home := path.Dir(path.Dir(f.Path))
	for line := range strings.Lines(string(data)) {
		p, rest, ok := strings.Cut(line, ",sha256=")
		sum, _, _ := strings.Cut(rest, ",")
		if !ok || strings.HasPrefix(p, "../") || strings.HasPrefix(p, "/") || strings.HasPrefix(p, `"`) {
			continue
		}
		raw, err := base64.RawURLEncoding.DecodeString(strings.TrimRight(strings.TrimSpace(sum), "="))
		p = distro.Clean(home + "/" + p)
		if err != nil || len(raw) != 32 || !bulwark.MayRun(p) {
			continue
		}
		r.Paths, r.Digests = append(r.Paths, p), append(r.Digests, bulwark.NewDigest(bulwark.SHA256, raw))
	}
	if name == "" || len(r.Paths) == 0 {
		return bulwark.Facts{}, nil
	}
	return bulwark.Facts{Recorded: []bulwark.Recorded{r}}, nil
}
