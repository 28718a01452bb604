//go:build linux

package hostile

import (
	"os"
	"strconv"
	"testing"
	"time"
)

// TestOneLine: a file of one line of any size takes no more memory than a small one, and
// nothing on disk but the cache. BULWARK_ONE_LINE is its size in MB.
func TestOneLine(t *testing.T) {
	t.Parallel()
	size := int64(300)
	if s := os.Getenv("BULWARK_ONE_LINE"); s != "" {
		n, err := strconv.ParseInt(s, 10, 64)
		check(t, err)
		size = n
	}
	r := newRoom(t)
	r.most = maxScan
	r.patience = patience + patience*time.Duration(size/1000)
	rules := r.put("rules.yar", []byte(goodYARA))
	image := newLayout(layerOf(t, debian(good)...), oneLine(t, size<<20)).write(r, "image")
	res := r.scan(image, "--yara", rules, "--timeout", "1h")
	want{0, "", []string{good, next}}.check(t, res)
	res.mustFind(t, "/srv/data.json", 1, 2)
}
