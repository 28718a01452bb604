package image_test

import (
	"archive/tar"
	"bufio"
	"cmp"
	"context"
	"crypto/sha256"
	"io"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"syscall"
	"testing"

	"github.com/klauspost/compress/gzip"

	"bulwark"
	"bulwark/source/image/archive"
	"bulwark/source/image/layout"
)

// The benchmarks read the big image of the folder that BULWARK_IMAGES names:
//
//	BULWARK_IMAGES=DIR go test -bench . -benchtime 3x ./source/image
//
// Floor is one goroutine that inflates, walks the tar and hashes the layer; Walk is
// what the sources do, two layers at once and the largest first, as the scanner does.
func big(b *testing.B, name string) string {
	file := filepath.Join(os.Getenv("BULWARK_IMAGES"), name)
	if _, err := os.Stat(file); err != nil || os.Getenv("BULWARK_IMAGES") == "" {
		b.Skip("BULWARK_IMAGES names no folder with " + name)
	}
	return file
}

// measure runs f b.N times and reports CPU seconds and peak memory.
func measure(b *testing.B, f func()) {
	before, _ := usage()
	for b.Loop() {
		f()
	}
	after, rss := usage()
	b.ReportMetric((after-before)/float64(b.N), "cpu-s/op")
	b.ReportMetric(b.Elapsed().Seconds()/float64(b.N), "wall-s/op")
	b.ReportMetric(float64(rss)/1024, "peak-MB")
	b.ReportMetric(0, "ns/op")
}

func usage() (cpu float64, rss int64) {
	var r syscall.Rusage
	syscall.Getrusage(syscall.RUSAGE_SELF, &r)
	return float64(r.Utime.Nano()+r.Stime.Nano()) / 1e9, r.Maxrss
}

func floor(b *testing.B, r io.Reader) {
	h := sha256.New()
	t := io.TeeReader(r, h)
	tr := tar.NewReader(t)
	for {
		_, err := tr.Next()
		if err == io.EOF {
			break
		}
		if err != nil {
			b.Fatal(err)
		}
	}
	io.Copy(h, r)
}

func BenchmarkFloorGzip(b *testing.B) {
	files, _ := filepath.Glob(filepath.Join(big(b, "big.oci"), "blobs/sha256/*"))
	measure(b, func() {
		for _, file := range files {
			f, err := os.Open(file)
			if err != nil {
				b.Fatal(err)
			}
			z, err := gzip.NewReader(bufio.NewReaderSize(f, 1<<20))
			if err == nil { // manifest and configuration are no gzip
				floor(b, z)
			}
			f.Close()
		}
	})
}

func BenchmarkFloorPlain(b *testing.B) {
	file := big(b, "big.tar")
	measure(b, func() {
		f, err := os.Open(file)
		if err != nil {
			b.Fatal(err)
		}
		defer f.Close()
		outer := tar.NewReader(f)
		for {
			h, err := outer.Next()
			if err != nil {
				return
			}
			if filepath.Ext(h.Name) == ".tar" {
				floor(b, bufio.NewReaderSize(outer, 256<<10))
			}
		}
	})
}

func BenchmarkWalkLayout(b *testing.B)  { walk(b, &layout.Source{}, big(b, "big.oci")) }
func BenchmarkWalkArchive(b *testing.B) { walk(b, &archive.Source{}, big(b, "big.tar")) }

// BenchmarkWalkStream needs big.tar compressed with gzip, as big.tar.gz.
func BenchmarkWalkStream(b *testing.B) { walk(b, &archive.Source{}, big(b, "big.tar.gz")) }

func walk(b *testing.B, s bulwark.Source, ref string) {
	measure(b, func() {
		target, err := s.Open(b.Context(), ref)
		if err != nil {
			b.Fatal(err)
		}
		defer target.Close()
		if err := walkAll(b.Context(), target); err != nil {
			b.Fatal(err)
		}
	})
}

func walkAll(ctx context.Context, target *bulwark.Target) (failed error) {
	layers := slices.Clone(target.Layers)
	slices.SortFunc(layers, func(a, b bulwark.Layer) int { return cmp.Compare(b.Size, a.Size) })
	atOnce := 2
	if target.Stream {
		atOnce = len(layers)
	}
	slots := make(chan struct{}, atOnce)
	var wg sync.WaitGroup
	var mu sync.Mutex
	for _, l := range layers {
		slots <- struct{}{}
		wg.Go(func() {
			defer func() { <-slots }()
			if err := l.Tree.Walk(ctx, func(*bulwark.Entry) error { return nil }); err != nil {
				mu.Lock()
				defer mu.Unlock()
				failed = err
			}
		})
	}
	wg.Wait()
	return failed
}
