package lockfile

import (
	"slices"
	"strings"
	"testing"

	"bulwark"
)

func extract(t *testing.T, path, content string) (bulwark.Facts, error) {
	t.Helper()
	info := bulwark.FileInfo{Size: int64(len(content))}
	info.SetPath(path)
	return New().Extract(t.Context(), &bulwark.File{FileInfo: info, ReaderAt: strings.NewReader(content)})
}

func sorted(s []string) []string {
	s = slices.Clone(s)
	slices.Sort(s)
	return s
}
