package container

import (
	"encoding/json"
	"path/filepath"
	"strings"
)

// storage takes what Podman and CRI-O keep apart from the container's config.json: the name, the image, and its digest. Those
// containers that need not outlive a restart of the node are in a file of their own: all of CRI-O's, and Podman's with --rm.
func (r *reading) storage() {
	if r.c.Engine != "podman" && r.c.Engine != "cri-o" {
		return
	}
	if r.c.Image == "" || r.c.ImageID == "" {
		r.stores(r.fromStore, "-containers", "containers.json", "volatile-containers.json")
	}
	if r.c.ImageID != "" && (r.c.Digest == "" || r.c.Image == r.c.ImageID) {
		r.stores(r.imageFromStore, "-images", "images.json")
	}
}

// stores has all files of a kind read until one tells: in the usual folders, and in those that the bundle and the root are in.
func (r *reading) stores(take func(file string) bool, kind string, names ...string) {
	list := []string{r.f.at("/var/lib/containers/storage"), r.f.at("/run/containers/storage")}
	if home, _, ok := strings.Cut(r.bundle, "-containers/"+r.name()+"/userdata"); ok {
		list = append(list, filepath.Dir(home))
	}
	if layer, ok := strings.CutSuffix(r.root, "/merged"); ok && filepath.IsAbs(layer) {
		list = append(list, r.f.at(filepath.Dir(filepath.Dir(layer))))
	}
	for _, base := range list {
		for _, driver := range folders(base) {
			if !strings.HasSuffix(driver, kind) {
				continue
			}
			for _, name := range names {
				if file := filepath.Join(base, driver, name); exists(file) && take(file) {
					return
				}
			}
		}
	}
}

func (r *reading) fromStore(file string) bool {
	var list []struct {
		ID, Image, Metadata string
		Names               []string
	}
	if err := readJSON(file, &list); err != nil {
		r.fail(filepath.Base(file), err)
		return false
	}
	for _, one := range list {
		if one.ID != r.c.ID {
			continue
		}
		r.c.ImageID = clip(one.Image)
		if r.c.Image != "" {
			return true
		}
		var more struct {
			Image string `json:"image-name"`
			Name  string
		}
		if err := json.Unmarshal([]byte(one.Metadata), &more); err != nil {
			r.why = append(r.why, filepath.Base(file)+": its metadata is none")
		}
		if len(one.Names) > 0 {
			r.c.Name = clip(one.Names[0])
		}
		r.image(more.Image)
		return true
	}
	return false
}

// imageFromStore takes the digest of the container's image, and its name where the container was made by the image's id.
func (r *reading) imageFromStore(file string) bool {
	var list []struct {
		ID, Digest string
		Names      []string
	}
	if err := readJSON(file, &list); err != nil {
		r.fail("images.json", err)
		return false
	}
	for _, one := range list {
		if one.ID != strings.TrimPrefix(r.c.ImageID, "sha256:") {
			continue
		}
		if r.c.Image == r.c.ImageID && len(one.Names) > 0 {
			r.image(one.Names[0])
		}
		if r.c.Digest == "" && strings.HasPrefix(one.Digest, "sha256:") && isID(one.Digest[len("sha256:"):]) {
			r.c.Digest = strings.Clone(one.Digest)
		}
		return true
	}
	return false
}

// labels are those that CRI-O keeps as a document.
func labels(text string) map[string]string {
	var m map[string]string
	if len(text) > maxFile || json.Unmarshal([]byte(text), &m) != nil {
		return nil
	}
	return pairs(m)
}
