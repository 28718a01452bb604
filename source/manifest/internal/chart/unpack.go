package chart

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"path"
	"strings"

	"bulwark"
	"bulwark/internal/limit"
)

const (
	maxPacked = 5 << 20 // bytes of one file in an archive
	maxCount  = 20_000  // files of one archive
)

// Unpack reads a packed chart, and those that are packed in it. Paths of its files are
// "<name>!<path in the archive>". Left is how many bytes there may still be, and is
// counted down. The error wraps ErrMalformed or ErrLimit.
func Unpack(r io.Reader, name string, left *int64, depth int) ([]File, error) {
	z, err := gzip.NewReader(r)
	if err != nil {
		return nil, fmt.Errorf("%w: %v", bulwark.ErrMalformed, err)
	}
	all := limit.Reader(z, *left+(8<<20), "the unpacked chart")
	var files []File
	for t, count := tar.NewReader(all), 0; ; count++ {
		h, err := t.Next()
		switch {
		case err == io.EOF && len(files) == 0:
			return nil, fmt.Errorf("%w: no chart is in the archive", bulwark.ErrMalformed)
		case err == io.EOF:
			return files, nil
		case errors.Is(err, bulwark.ErrLimit):
			return nil, err
		case err != nil:
			return nil, fmt.Errorf("%w: %v", bulwark.ErrMalformed, err)
		case count > maxCount:
			return nil, fmt.Errorf("more than %d files in a chart: %w", maxCount, bulwark.ErrLimit)
		case h.Typeflag != tar.TypeReg:
			continue
		}
		inner, ok := inside(h.Name)
		if !ok {
			return nil, fmt.Errorf("%w: the archive has the path %.100q", bulwark.ErrMalformed, h.Name)
		}
		if inner == "" {
			continue
		}
		f, err := unpackOne(t, name, inner, h.Name, left, depth)
		if err != nil {
			return nil, err
		}
		files = append(files, f...)
	}
}

// inside is a path of the archive without the folder that all of them begin with.
func inside(name string) (string, bool) {
	name = strings.ReplaceAll(name, "\\", "/")
	if path.IsAbs(name) || strings.HasPrefix(path.Clean(name), "..") {
		return "", false
	}
	_, rest, _ := strings.Cut(path.Clean(name), "/")
	return rest, true
}

func unpackOne(r io.Reader, archive, inner, full string, left *int64, depth int) ([]File, error) {
	data, err := limit.ReadAll(r, min(maxPacked, *left), full)
	if errors.Is(err, bulwark.ErrLimit) {
		return nil, err
	}
	if err != nil {
		return nil, fmt.Errorf("%w: %s: %v", bulwark.ErrMalformed, full, err)
	}
	*left -= int64(len(data))
	at := archive + "!" + path.Clean(full)
	if !strings.HasSuffix(inner, ".tgz") || path.Base(path.Dir(inner)) != "charts" {
		return []File{{Name: inner, Path: at, Data: Trim(data)}}, nil
	}
	if depth > 3 {
		return []File{{Name: inner, Path: at, Bad: fmt.Errorf("%s: charts packed in charts: %w", at, bulwark.ErrLimit)}}, nil
	}
	packed, err := Unpack(bytes.NewReader(data), at, left, depth+1)
	if err != nil {
		return []File{{Name: inner, Path: at, Bad: fmt.Errorf("%s: %w", at, err)}}, nil
	}
	for i := range packed {
		packed[i].Name = strings.TrimSuffix(inner, ".tgz") + "-packed/" + packed[i].Name
	}
	return packed, nil
}

// IsPacked tells whether an archive begins as a packed chart does.
func IsPacked(r io.Reader) bool {
	z, err := gzip.NewReader(r)
	if err != nil {
		return false
	}
	t := tar.NewReader(io.LimitReader(z, 4<<20))
	for range 50 {
		h, err := t.Next()
		if err != nil {
			return false
		}
		if inner, ok := inside(h.Name); ok && inner == "Chart.yaml" {
			return true
		}
	}
	return false
}
