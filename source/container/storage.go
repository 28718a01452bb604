package container

import (
	"encoding/json"
	"path/filepath"
	"strings"
)

// storage takes the name and the image that Podman keeps apart from the container's config.json.
func (r *reading) storage() {
	if r.c.Image != "" || r.c.Engine != "podman" && r.c.Engine != "cri-o" {
		return
	}
	for _, base := range r.stores() {
		for _, driver := range folders(base) {
			if strings.HasSuffix(driver, "-containers") && r.fromStore(filepath.Join(base, driver, "containers.json")) {
				return
			}
		}
	}
}

// stores are the folders of images and containers: the usual ones, and the one that the bundle is in.
func (r *reading) stores() []string {
	list := []string{r.f.at("/var/lib/containers/storage"), r.f.at("/run/containers/storage")}
	if home, _, ok := strings.Cut(r.bundle, "-containers/"+r.name()+"/userdata"); ok {
		list = append([]string{filepath.Dir(home)}, list...)
	}
	return list
}

func (r *reading) fromStore(file string) bool {
	var list []struct {
		ID, Image, Metadata string
		Names               []string
	}
	if !exists(file) {
		return false
	}
	if err := readJSON(file, &list); err != nil {
		r.fail("containers.json", err)
		return false
	}
	for _, one := range list {
		if one.ID != r.c.ID {
			continue
		}
		var more struct {
			Image string `json:"image-name"`
			Name  string
		}
		if err := json.Unmarshal([]byte(one.Metadata), &more); err != nil {
			r.why = append(r.why, "containers.json: its metadata is none")
		}
		if len(one.Names) > 0 {
			r.c.Name = clip(one.Names[0])
		}
		r.c.ImageID = clip(one.Image)
		r.image(more.Image)
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
