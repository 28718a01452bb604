package secret

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"
)

// BenchmarkStart is what the first file of a scan waits for.
func BenchmarkStart(b *testing.B) {
	for b.Loop() {
		if _, err := (Options{}).newEngine(); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkVersion is what a scan waits for that reads no file.
func BenchmarkVersion(b *testing.B) {
	for b.Loop() {
		New(Options{Now: time.Unix(1<<30, 0)}).Info()
	}
}

// BenchmarkInspect is the engine with all built-in rules on text and on what is none.
func BenchmarkInspect(b *testing.B) {
	r := rand.New(rand.NewPCG(1, 1))
	random := make([]byte, 8<<20)
	for i := range random {
		random[i] = byte(r.Uint32())
	}
	for name, data := range map[string][]byte{"text": hay(r, 8<<20), "random": random} {
		b.Run(fmt.Sprint(name), func(b *testing.B) {
			i := New(Options{})
			b.SetBytes(int64(len(data)))
			for b.Loop() {
				s := i.Begin(file("srv/data.txt", int64(len(data))))
				for piece := range slices.Chunk(data, 256<<10) {
					s.Write(piece)
				}
				s.Close()
			}
		})
	}
}
