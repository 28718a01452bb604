package chart

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"strings"

	"bulwark"
	"bulwark/internal/limit"
)

const (
	maxChart     = 64 << 20 // bytes of all files of a chart, unpacked
	maxChartFile = 5 << 20  // of one
)

// ReadPacked reads the files of a packed chart.
func ReadPacked(r io.Reader, name string) ([]File, error) {
	left := int64(maxChart)
	return Unpack(r, name, &left, 0)
}

// ReadFolder reads the files of a chart that .helmignore leaves in, vendored archives
// unpacked. The error wraps ErrMalformed or ErrLimit.
func ReadFolder(root *os.Root, dir string, b *Budget) ([]File, error) {
	ignored, err := readAt(root, path.Join(dir, ".helmignore"), 1<<20)
	if err != nil && !errors.Is(err, bulwark.ErrNotFound) {
		return nil, err
	}
	rules := ParseIgnore(string(ignored))
	var files []File
	left := min(maxChart, b.bytes)
	before := left
	err = fs.WalkDir(root.FS(), dir, func(file string, d fs.DirEntry, err error) error {
		rel := strings.TrimPrefix(strings.TrimPrefix(file, dir), "/")
		if dir == "." {
			rel = file
		}
		switch {
		case err != nil:
			return err
		case file == dir:
			return nil
		case rules.Ignore(rel, d.IsDir()), d.Name() == ".git":
			if d.IsDir() {
				return fs.SkipDir
			}
			return nil
		case !d.Type().IsRegular(): // links lead anywhere
			return nil
		}
		return appendFile(root, &files, file, rel, &left, b)
	})
	b.bytes -= max(before-left, 0)
	return files, err
}

func appendFile(root *os.Root, files *[]File, file, rel string, left *int64, b *Budget) error {
	if archive(rel) {
		f, err := limit.Open(root, file)
		if err != nil {
			return err
		}
		defer f.Close()
		inner, err := Unpack(f, file, &b.packed, 1)
		if err != nil {
			*files = append(*files, File{Name: rel, Path: file, Bad: fmt.Errorf("%s: %w", file, err)})
			return nil
		}
		at := strings.TrimSuffix(rel, ".tgz")
		for _, f := range inner {
			f.Name = at + "-packed/" + f.Name
			*files = append(*files, f)
		}
		return nil
	}
	data, err := readAt(root, file, maxChartFile)
	if errors.Is(err, bulwark.ErrLimit) && !strings.HasPrefix(rel, "templates/") && rel != "values.yaml" && rel != "Chart.yaml" {
		return nil // a picture, a dump: no template has it
	}
	if err != nil {
		return err
	}
	if *left -= int64(len(data)); *left < 0 {
		return fmt.Errorf("the chart has more than %d MB: %w", maxChart>>20, bulwark.ErrLimit)
	}
	*files = append(*files, File{Name: rel, Path: file, Data: Trim(data)})
	return nil
}

// archive tells whether a file of a chart is a packed one that it depends on.
func archive(rel string) bool {
	return strings.HasSuffix(rel, ".tgz") && path.Base(path.Dir(rel)) == "charts" && !strings.ContainsAny(path.Base(rel)[:1], "_.")
}

func readAt(root *os.Root, file string, most int64) ([]byte, error) {
	f, err := limit.Open(root, file)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("%s: %w", file, bulwark.ErrNotFound)
	}
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return limit.ReadAll(f, most, file)
}
