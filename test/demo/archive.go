package main

import (
	"archive/tar"
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"io"
	"maps"
	"slices"
)

// layer is one layer of an image: what made it, and its files by path.
type layer struct {
	createdBy string
	files     map[string]file
}

type file struct {
	data []byte
	mode int64
}

func text(s string) file { return file{[]byte(s), 0o644} }

const created = "2026-01-01T00:00:00Z"

// writeArchive writes a docker-archive as `docker save` does.
func writeArchive(w io.Writer, tag string, layers []layer, env ...string) error {
	type history struct {
		Created   string `json:"created"`
		CreatedBy string `json:"created_by"`
	}
	var diffIDs, names []string
	var lines []history
	members := map[string]file{}
	for _, l := range layers {
		data, err := pack(l.files)
		if err != nil {
			return err
		}
		id := digest(data)
		diffIDs = append(diffIDs, "sha256:"+id)
		names = append(names, id+"/layer.tar")
		members[id+"/layer.tar"] = file{data, 0o644}
		lines = append(lines, history{created, l.createdBy})
	}
	config, err := json.Marshal(map[string]any{
		"architecture": "amd64", "os": "linux", "created": created,
		"config":  map[string]any{"Env": env, "Cmd": []string{"node", "/srv/app/server.js"}},
		"rootfs":  map[string]any{"type": "layers", "diff_ids": diffIDs},
		"history": lines,
	})
	if err != nil {
		return err
	}
	members[digest(config)+".json"] = file{config, 0o644}
	manifest, err := json.Marshal([]map[string]any{{"Config": digest(config) + ".json", "RepoTags": []string{tag}, "Layers": names}})
	if err != nil {
		return err
	}
	members["manifest.json"] = file{manifest, 0o644}
	data, err := pack(members)
	if err != nil {
		return err
	}
	_, err = w.Write(data)
	return err
}

func digest(data []byte) string {
	sum := sha256.Sum256(data)
	return hex.EncodeToString(sum[:])
}

// pack makes a tar of files, in the order of their names.
func pack(files map[string]file) ([]byte, error) {
	var b bytes.Buffer
	t := tar.NewWriter(&b)
	for _, name := range slices.Sorted(maps.Keys(files)) {
		f := files[name]
		if err := t.WriteHeader(&tar.Header{Name: name, Mode: f.mode, Size: int64(len(f.data)), Format: tar.FormatPAX}); err != nil {
			return nil, err
		}
		if _, err := t.Write(f.data); err != nil {
			return nil, err
		}
	}
	return b.Bytes(), t.Close()
}
