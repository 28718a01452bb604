package dpkg

import (
	"bytes"
	"slices"
	"strings"

	"bulwark"
	"bulwark/extract/internal/distro"
)

const (
	maxCopyright = 8 << 20 // bytes; the largest in Debian has 3 MB
	maxLicences  = 64      // of one package
)

// parseCopyright gives the licences that a copyright file names: the short names of the
// machine-readable format (https://www.debian.org/doc/packaging-manuals/copyright-format/1.0/),
// as SPDX where they have an equal there; else those that free text refers to in
// usr/share/common-licenses, in Debian's words, since text alone does not tell "only"
// from "or later".
func parseCopyright(f *bulwark.File) ([]string, error) {
	var found []string
	add := func(name string) {
		if name != "" && len(found) < maxLicences && !slices.Contains(found, name) {
			found = append(found, name)
		}
	}
	machine, text := false, false
	lines := distro.NewLines(f.Reader(), f.Size, maxCopyright, "copyright file")
	for lines.Next() {
		field, value, ok := bytes.Cut(lines.Line, []byte{':'})
		switch {
		case !text && len(bytes.TrimSpace(lines.Line)) > 0 && !machine:
			machine = ok && bytes.EqualFold(field, []byte("Format"))
			text = !machine
		case machine && ok && bytes.EqualFold(field, []byte("License")):
			add(shortName(string(value)))
		case text:
			add(reference(lines.Line))
		}
	}
	slices.Sort(found)
	return found, lines.Err
}

// reference finds the licence whose text a line says to be in usr/share/common-licenses.
func reference(line []byte) string {
	_, rest, ok := bytes.Cut(line, []byte("/usr/share/common-licenses/"))
	if !ok {
		return ""
	}
	end := bytes.IndexFunc(rest, func(r rune) bool {
		return !strings.ContainsRune("-+.", r) && (r < '0' || r > '9') && (r|0x20 < 'a' || r|0x20 > 'z')
	})
	if end < 0 {
		end = len(rest)
	}
	name := strings.TrimRight(string(rest[:end]), ".")
	if len(name) > 40 {
		return ""
	}
	switch name {
	case "Artistic":
		return "Artistic-1.0-Perl"
	case "BSD":
		return "BSD-3-Clause"
	}
	return name
}

// shortName turns "GPL-2+ or Expat" into "GPL-2.0-or-later OR MIT". What is not SPDX
// stays in its own words; prose that stands where the short name should is dropped.
func shortName(value string) string {
	words := strings.Fields(strings.TrimRight(distro.Text(value), ","))
	if len(words) == 0 || len(words) > 12 {
		return ""
	}
	known, operators := true, 0
	expression := make([]string, len(words))
	for i, w := range words {
		switch low := strings.ToLower(strings.Trim(w, "(),")); low {
		case "or", "and":
			expression[i] = strings.ToUpper(low)
			operators++
		default:
			id, ok := spdx[low]
			known = known && ok && !strings.ContainsAny(w, "(),")
			expression[i] = id
		}
	}
	if known && len(words) == 2*operators+1 && !mixed(expression) {
		return strings.Join(expression, " ")
	}
	if len(words)-operators > 5 {
		return ""
	}
	return strings.Join(words, " ")
}

// mixed tells that both operators occur: then Debian's "and" and "or" bind otherwise
// than SPDX's where a comma stands before them.
func mixed(expression []string) bool {
	return slices.Contains(expression, "OR") && slices.Contains(expression, "AND")
}

// spdx maps short names of the copyright format, in lower case, to SPDX licence ids.
var spdx = map[string]string{
	"expat": "MIT", "mit": "MIT", "mit/x11": "MIT", "x11": "X11", "isc": "ISC", "curl": "curl",
	"apache-2.0": "Apache-2.0", "apache-2": "Apache-2.0", "apache-1.1": "Apache-1.1",
	"bsd-2-clause": "BSD-2-Clause", "bsd-3-clause": "BSD-3-Clause", "bsd-4-clause": "BSD-4-Clause", "0bsd": "0BSD",
	"gpl-1": "GPL-1.0-only", "gpl-1+": "GPL-1.0-or-later", "gpl-2": "GPL-2.0-only", "gpl-2+": "GPL-2.0-or-later",
	"gpl-2.0": "GPL-2.0-only", "gpl-2.0+": "GPL-2.0-or-later", "gpl-3": "GPL-3.0-only", "gpl-3+": "GPL-3.0-or-later",
	"gpl-3.0": "GPL-3.0-only", "gpl-3.0+": "GPL-3.0-or-later",
	"lgpl-2": "LGPL-2.0-only", "lgpl-2+": "LGPL-2.0-or-later", "lgpl-2.0": "LGPL-2.0-only", "lgpl-2.0+": "LGPL-2.0-or-later",
	"lgpl-2.1": "LGPL-2.1-only", "lgpl-2.1+": "LGPL-2.1-or-later",
	"lgpl-3": "LGPL-3.0-only", "lgpl-3+": "LGPL-3.0-or-later", "lgpl-3.0": "LGPL-3.0-only", "lgpl-3.0+": "LGPL-3.0-or-later",
	"agpl-3": "AGPL-3.0-only", "agpl-3+": "AGPL-3.0-or-later",
	"gpl-2.0-only": "GPL-2.0-only", "gpl-2.0-or-later": "GPL-2.0-or-later", "gpl-3.0-or-later": "GPL-3.0-or-later",
	"lgpl-2.1-or-later": "LGPL-2.1-or-later", "lgpl-2.1-only": "LGPL-2.1-only",
	"mpl-1.1": "MPL-1.1", "mpl-2.0": "MPL-2.0", "cc0": "CC0-1.0", "cc0-1.0": "CC0-1.0", "unlicense": "Unlicense",
	"cc-by-3.0": "CC-BY-3.0", "cc-by-4.0": "CC-BY-4.0", "cc-by-sa-3.0": "CC-BY-SA-3.0", "cc-by-sa-4.0": "CC-BY-SA-4.0",
	"zlib": "Zlib", "libpng": "Libpng", "ftl": "FTL", "openldap-2.8": "OLDAP-2.8", "fsfullr": "FSFULLR", "fsfap": "FSFAP",
	"artistic": "Artistic-1.0-Perl", "artistic-1": "Artistic-1.0", "artistic-2": "Artistic-2.0", "artistic-2.0": "Artistic-2.0",
	"ruby": "Ruby", "psf-2": "PSF-2.0", "python-2.0": "Python-2.0", "php-3.01": "PHP-3.01", "php-3.0": "PHP-3.0",
	"bsl-1.0": "BSL-1.0", "wtfpl": "WTFPL", "gfdl-1.2+": "GFDL-1.2-or-later", "gfdl-1.3+": "GFDL-1.3-or-later",
	"sil-1.1": "OFL-1.1", "ofl-1.1": "OFL-1.1", "unicode-3.0": "Unicode-3.0", "openssl": "OpenSSL",
}
