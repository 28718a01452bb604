package scan_test

import (
	"archive/tar"
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"log"
	"os"
	"path/filepath"

	"bulwark"
	"bulwark/all"
	"bulwark/scan"
	"bulwark/source/image/archive"
)

// Look at an image in an archive and print what is in it.
func Example() {
	file := exampleArchive()
	defer os.RemoveAll(filepath.Dir(file))

	source := &archive.Source{}
	scanner := scan.Scanner{Extractors: all.Extractors(all.Options{}), Inspectors: all.Inspectors(all.Options{}), Resolvers: all.Resolvers()}
	var report bulwark.Report
	_, err := scanner.Scan(context.Background(), []scan.Job{{Ref: file, Open: func(ctx context.Context) (*bulwark.Target, error) {
		return source.Open(ctx, file)
	}}}, &report)
	if err != nil {
		log.Fatal(err)
	}
	for _, p := range report.Packages {
		fmt.Println(p.PURL, p.Path)
	}
	// Output: pkg:npm/lodash@4.17.15 /app/node_modules/lodash/package.json
}

// exampleArchive writes an image with one package, as `docker save` would.
func exampleArchive() string {
	layer := tarOf(map[string]string{"app/node_modules/lodash/package.json": `{"name": "lodash", "version": "4.17.15"}`})
	config, err := json.Marshal(map[string]any{"os": "linux", "architecture": "amd64",
		"rootfs": map[string]any{"type": "layers", "diff_ids": []string{fmt.Sprintf("sha256:%x", sha256.Sum256(layer))}}})
	if err != nil {
		log.Fatal(err)
	}
	dir, err := os.MkdirTemp("", "bulwark-example-")
	if err != nil {
		log.Fatal(err)
	}
	file := filepath.Join(dir, "image.tar")
	archive := tarOf(map[string]string{"config.json": string(config), "layer.tar": string(layer),
		"manifest.json": `[{"Config": "config.json", "RepoTags": ["example:1"], "Layers": ["layer.tar"]}]`})
	if err := os.WriteFile(file, archive, 0o600); err != nil {
		log.Fatal(err)
	}
	return file
}

func tarOf(files map[string]string) []byte {
	var b bytes.Buffer
	w := tar.NewWriter(&b)
	for name, content := range files {
		if err := w.WriteHeader(&tar.Header{Name: name, Mode: 0o644, Size: int64(len(content))}); err != nil {
			log.Fatal(err)
		}
		if _, err := w.Write([]byte(content)); err != nil {
			log.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		log.Fatal(err)
	}
	return b.Bytes()
}
