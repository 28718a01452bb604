package outdated

import (
	"archive/tar"
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/klauspost/compress/gzip"

	"bulwark"
	"bulwark/internal/limit"
)

// apk reads an Alpine repository's index
// (https://wiki.alpinelinux.org/wiki/Apk_spec#APKINDEX_Format).
func (r *run) apk(ctx context.Context, repo bulwark.Repository, arch string, found func(name, version string)) error {
	address := strings.TrimSuffix(repo.URL, "/") + "/" + arch + "/APKINDEX.tar.gz"
	if err := web(address); err != nil {
		return err
	}
	body, err := get(ctx, r.o.Indexes, address, "", maxIndexFile)
	if err != nil {
		return err
	}
	return readAPKIndex(body, found)
}

// readAPKIndex reads the file APKINDEX of the archive, which is two archives one after
// the other: the signature, which lacks its end, and the index.
func readAPKIndex(body []byte, found func(name, version string)) error {
	z, err := gzip.NewReader(bufio.NewReader(bytes.NewReader(body)))
	if err != nil {
		return fmt.Errorf("APKINDEX: %w: %w", bulwark.ErrMalformed, err)
	}
	files := tar.NewReader(limit.Reader(z, maxIndex, "APKINDEX"))
	for {
		h, err := files.Next()
		if errors.Is(err, io.EOF) {
			return fmt.Errorf("APKINDEX: no index in the archive: %w", bulwark.ErrMalformed)
		}
		if err != nil {
			return fmt.Errorf("APKINDEX: %w: %w", bulwark.ErrMalformed, err)
		}
		if h.Name == "APKINDEX" {
			return stanzas(files, "P:", "V:", found)
		}
	}
}
