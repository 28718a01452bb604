// Package oci finds the image that a reference means among indexes and manifests, checks
// every digest and size on the way, and makes a target of it.
package oci

import (
	"encoding/json"
	"fmt"
	"strings"

	"bulwark"
)

// Budgets for documents of strangers, in bytes.
const (
	MaxManifest = 4 << 20
	MaxConfig   = 8 << 20
	maxLayers   = 1000
)

// Descriptor is what manifests and indexes say of a blob
// (https://github.com/opencontainers/image-spec/blob/main/descriptor.md).
type Descriptor struct {
	MediaType    string            `json:"mediaType"`
	ArtifactType string            `json:"artifactType"`
	Digest       string            `json:"digest"`
	Size         int64             `json:"size"`
	Annotations  map[string]string `json:"annotations"`
	Platform     *Platform         `json:"platform"`
}

// document is an index or a manifest.
type document struct {
	SchemaVersion int               `json:"schemaVersion"`
	MediaType     string            `json:"mediaType"`
	ArtifactType  string            `json:"artifactType"`
	Manifests     []Descriptor      `json:"manifests"`
	Config        *Descriptor       `json:"config"`
	Layers        []Descriptor      `json:"layers"`
	Annotations   map[string]string `json:"annotations"`
}

// config is what matters of an image's configuration
// (https://github.com/opencontainers/image-spec/blob/main/config.md).
type config struct {
	Platform
	Created string `json:"created"`
	Config  struct {
		Labels map[string]string `json:"Labels"`
	} `json:"config"`
	RootFS struct {
		DiffIDs []string `json:"diff_ids"`
	} `json:"rootfs"`
	History []struct {
		CreatedBy string `json:"created_by"`
		Comment   string `json:"comment"`
		Empty     bool   `json:"empty_layer"`
	} `json:"history"`
}

// decode reads a JSON document. The error wraps ErrMalformed.
func decode(b []byte, to any, what string) error {
	if err := json.Unmarshal(b, to); err != nil {
		return fmt.Errorf("%s: %w: %w", what, bulwark.ErrMalformed, err)
	}
	return nil
}

func parseDocument(b []byte, what string) (*document, error) {
	var d document
	if err := decode(b, &d, what); err != nil {
		return nil, err
	}
	switch {
	case d.SchemaVersion == 1:
		return nil, fmt.Errorf("%s: image manifest of schema 1: %w", what, bulwark.ErrUnsupported)
	case d.Manifests != nil && (d.Layers != nil || d.Config != nil):
		// Readers would differ in what they take it for.
		return nil, fmt.Errorf("%s is an index and a manifest at once: %w", what, bulwark.ErrMalformed)
	case d.Manifests == nil && d.Config == nil:
		return nil, fmt.Errorf("%s is neither an image index nor a manifest: %w", what, bulwark.ErrMalformed)
	}
	return &d, nil
}

func (d *document) isIndex() bool { return d.Manifests != nil }

// isIndex tells by the media type; an unknown one is settled by the document itself.
func (d *Descriptor) isIndex() bool {
	return d.MediaType == "application/vnd.oci.image.index.v1+json" ||
		d.MediaType == "application/vnd.docker.distribution.manifest.list.v2+json"
}

// isAttestation tells whether a manifest in an index is about an image rather than one.
func (d *Descriptor) isAttestation() bool {
	return d.Annotations["vnd.docker.reference.type"] != "" ||
		d.Platform != nil && d.Platform.OS == "unknown" && d.Platform.Architecture == "unknown"
}

var configTypes = map[string]bool{
	"": true,
	"application/vnd.oci.image.config.v1+json":       true,
	"application/vnd.docker.container.image.v1+json": true,
}

// checkImage refuses what is stored like an image and is none.
func (d *document) checkImage() error {
	if t := d.Config.MediaType; !configTypes[t] {
		if strings.Contains(t, "helm") {
			return fmt.Errorf("this is a Helm chart, not an image: %w", bulwark.ErrUnsupported)
		}
		if d.ArtifactType != "" {
			t = d.ArtifactType
		}
		return fmt.Errorf("this is an artifact of type %.100q, not an image: %w", t, bulwark.ErrUnsupported)
	}
	if len(d.Layers) > maxLayers {
		return fmt.Errorf("%d layers: %w", len(d.Layers), bulwark.ErrLimit)
	}
	for i, l := range d.Layers {
		if err := l.checkLayer(); err != nil {
			return fmt.Errorf("layer %d: %w", i, err)
		}
	}
	return nil
}

func (d *Descriptor) checkLayer() error {
	t := d.MediaType
	switch {
	case strings.HasSuffix(t, "+encrypted"):
		return fmt.Errorf("it is encrypted: %w", bulwark.ErrUnsupported)
	case strings.HasPrefix(t, "application/vnd.oci.image.layer.") && strings.Contains(t, "tar"),
		strings.HasPrefix(t, "application/vnd.docker.image.rootfs.") && strings.Contains(t, "tar"):
		return nil
	}
	return fmt.Errorf("media type %.100q is no file system layer: %w", t, bulwark.ErrUnsupported)
}

// isForeign tells whether a layer may lie elsewhere, at addresses that the manifest
// names; those are never followed.
func (d *Descriptor) isForeign() bool {
	return strings.Contains(d.MediaType, "nondistributable") || strings.Contains(d.MediaType, ".foreign.")
}
