package main

import (
	"archive/tar"
	"bufio"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"github.com/klauspost/compress/gzip"
)

// floorOfLayout does what any scanner of a compressed image has to do, in one
// goroutine: inflate every layer, walk its tar, hash it.
func floorOfLayout(dir string) error {
	layers, err := layersOf(dir)
	if err != nil {
		return err
	}
	for _, name := range layers {
		f, err := os.Open(name)
		if err != nil {
			return err
		}
		z, err := gzip.NewReader(bufio.NewReaderSize(f, 1<<20))
		if err != nil {
			return err
		}
		if err := walk(z); err != nil {
			return err
		}
		if err := f.Close(); err != nil {
			return err
		}
	}
	return nil
}

// layersOf lists the blobs of the layers of the only image of a layout.
func layersOf(dir string) ([]string, error) {
	blob := func(digest string) string {
		return filepath.Join(dir, "blobs", strings.Replace(digest, ":", string(filepath.Separator), 1))
	}
	type descriptor struct{ Digest string }
	var index struct{ Manifests []descriptor }
	var manifest struct{ Layers []descriptor }
	if err := readJSON(filepath.Join(dir, "index.json"), &index); err != nil {
		return nil, err
	}
	if len(index.Manifests) != 1 {
		return nil, fmt.Errorf("%s has %d images, want one", dir, len(index.Manifests))
	}
	if err := readJSON(blob(index.Manifests[0].Digest), &manifest); err != nil {
		return nil, err
	}
	var names []string
	for _, l := range manifest.Layers {
		names = append(names, blob(l.Digest))
	}
	return names, nil
}

func readJSON(name string, v any) error {
	data, err := os.ReadFile(name)
	if err != nil {
		return err
	}
	return json.Unmarshal(data, v)
}

// floorOfArchive reads an uncompressed docker-archive: walks the tar of every layer
// and hashes it.
func floorOfArchive(name string) error {
	f, err := os.Open(name)
	if err != nil {
		return err
	}
	defer f.Close()
	outer := tar.NewReader(bufio.NewReaderSize(f, 1<<20))
	for {
		h, err := outer.Next()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		if strings.HasSuffix(h.Name, "/layer.tar") {
			if err := walk(outer); err != nil {
				return err
			}
		}
	}
}

// walk goes through the headers of a tar while it is hashed.
func walk(r io.Reader) error {
	h := sha256.New()
	tee := io.TeeReader(r, h)
	t := tar.NewReader(tee)
	for {
		if _, err := t.Next(); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			return err
		}
	}
	_, err := io.Copy(io.Discard, tee)
	return err
}
