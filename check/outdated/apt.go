package outdated

import (
	"bufio"
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"

	"github.com/klauspost/compress/gzip"
	"github.com/ulikunitz/xz"

	"bulwark"
	"bulwark/internal/limit"
)

const (
	// maxIndex bounds an unpacked index; the largest known has 75 MB. It bounds the memory
	// of an xz dictionary too, which is never larger than what was unpacked.
	maxIndex = 160 << 20
	// maxLine bounds one of its lines.
	maxLine = 1 << 20
	// maxComponents bounds how many files one entry can make the scanner read.
	maxComponents = 8
)

// apt reads the indexes of one entry of sources.list
// (https://wiki.debian.org/DebianRepository/Format).
func (r *run) apt(ctx context.Context, repo bulwark.Repository, arch string, found func(name, version string)) (n int, err error) {
	if strings.HasSuffix(repo.Suite, "/") {
		return 0, fmt.Errorf("flat repository %s: %w", redact(repo.URL), bulwark.ErrUnsupported)
	}
	if unpreferred(repo.Suite) {
		return 0, nil
	}
	base := strings.TrimSuffix(repo.URL, "/") + "/dists/" + repo.Suite + "/"
	if err := web(base); err != nil {
		return 0, err
	}
	release, err := get(ctx, r.o.Indexes, base+"InRelease", "", maxIndexFile)
	if err != nil {
		return 0, err
	}
	sums := checksums(release)
	for _, component := range repo.Components[:min(len(repo.Components), maxComponents)] {
		if err := r.aptComponent(ctx, base, component+"/binary-"+arch+"/Packages", sums, found); err != nil {
			return n, err
		}
		n++
	}
	return n, nil
}

// unpreferred tells whether apt takes packages from a suite only when it is told to.
func unpreferred(suite string) bool {
	return strings.Contains(suite, "backports") || strings.Contains(suite, "proposed") || strings.Contains(suite, "experimental")
}

// web refuses what is no plain web address.
func web(address string) error {
	if strings.HasPrefix(address, "https://") || strings.HasPrefix(address, "http://") {
		return nil
	}
	return fmt.Errorf("%s: %w", redact(address), bulwark.ErrUnsupported)
}

// aptComponent reads one Packages file, in the first form that the release lists.
func (r *run) aptComponent(ctx context.Context, base, file string, sums map[string]string, found func(name, version string)) error {
	for _, ext := range []string{".gz", ".xz", ""} {
		sum, ok := sums[file+ext]
		if !ok {
			continue
		}
		body, err := get(ctx, r.o.Indexes, base+file+ext, "", maxIndexFile)
		if err != nil {
			return err
		}
		if got := sha256.Sum256(body); hex.EncodeToString(got[:]) != sum {
			return fmt.Errorf("%s: its digest is not the one the release names: %w", redact(base+file+ext), bulwark.ErrUntrusted)
		}
		return readPackages(body, ext, found)
	}
	return fmt.Errorf("%s: %w", redact(base+file), bulwark.ErrNotFound)
}

// checksums maps files to SHA-256 sums as an InRelease file lists them.
func checksums(release []byte) map[string]string {
	sums := map[string]string{}
	in := false
	for l := range bytes.Lines(release) {
		if len(l) > 0 && l[0] != ' ' {
			in = bytes.HasPrefix(l, []byte("SHA256:"))
			continue
		}
		f := strings.Fields(string(l))
		if !in || len(f) != 3 || len(f[0]) != 64 {
			continue
		}
		if size, err := strconv.ParseInt(f[1], 10, 64); err == nil && size <= maxIndexFile {
			sums[f[2]] = strings.ToLower(f[0])
		}
	}
	return sums
}

func readPackages(body []byte, ext string, found func(name, version string)) error {
	var in io.Reader = bytes.NewReader(body)
	var err error
	switch ext {
	case ".xz":
		in, err = xz.NewReader(bufio.NewReader(in))
	case ".gz":
		in, err = gzip.NewReader(bufio.NewReader(in))
	}
	if err != nil {
		return fmt.Errorf("package index: %w: %w", bulwark.ErrMalformed, err)
	}
	return stanzas(limit.Reader(in, maxIndex, "package index"), "Package: ", "Version: ", found)
}

// stanzas reads blocks of lines, of which one holds a name and one a version.
func stanzas(in io.Reader, nameKey, versionKey string, found func(name, version string)) error {
	s := bufio.NewScanner(in)
	s.Buffer(make([]byte, 64<<10), maxLine)
	var name, version string
	end := func() {
		if name != "" && version != "" {
			found(name, version)
		}
		name, version = "", ""
	}
	for s.Scan() {
		l := s.Bytes()
		switch {
		case len(l) == 0:
			end()
		case bytes.HasPrefix(l, []byte(nameKey)):
			name = string(bytes.TrimSpace(l[len(nameKey):]))
		case bytes.HasPrefix(l, []byte(versionKey)):
			version = line(string(l[len(versionKey):]))
		}
	}
	end()
	switch err := s.Err(); {
	case err == nil:
		return nil
	case errors.Is(err, bufio.ErrTooLong):
		return fmt.Errorf("package index: a line is longer than %d bytes: %w", maxLine, bulwark.ErrLimit)
	case errors.Is(err, bulwark.ErrLimit):
		return err
	default:
		return fmt.Errorf("package index: %w: %w", bulwark.ErrMalformed, err)
	}
}
