package vex

import (
	"cmp"
	"maps"
	"slices"
	"strings"

	"bulwark"
	"bulwark/internal/purl"
	"bulwark/policy/internal/rule"
)

// csaf is the part of a CSAF 2.0 or 2.1 document
// (https://docs.oasis-open.org/csaf/csaf/v2.0/csaf-v2.0.html) that is used.
type csaf struct {
	Document struct {
		Publisher struct {
			Name string `json:"name"`
		} `json:"publisher"`
		Tracking struct {
			Current string `json:"current_release_date"`
		} `json:"tracking"`
	} `json:"document"`
	Tree struct {
		Branches      []csafBranch       `json:"branches"`
		Products      []csafProduct      `json:"full_product_names"`
		Relationships []csafRelationship `json:"relationships"`
	} `json:"product_tree"`
	Vulnerabilities []csafVulnerability `json:"vulnerabilities"`
}

type csafBranch struct {
	Branches []csafBranch `json:"branches"`
	Product  *csafProduct `json:"product"`
}

type csafProduct struct {
	ID     string `json:"product_id"`
	Name   string `json:"name"`
	Helper struct {
		PURL   string   `json:"purl"`
		PURLs  []string `json:"purls"` // 2.1
		Hashes []struct {
			FileHashes []struct {
				Algorithm string `json:"algorithm"`
				Value     string `json:"value"`
			} `json:"file_hashes"`
		} `json:"hashes"`
	} `json:"product_identification_helper"`
}

type csafRelationship struct {
	Category  string      `json:"category"`
	Product   csafProduct `json:"full_product_name"`
	Reference string      `json:"product_reference"`
	RelatesTo string      `json:"relates_to_product_reference"`
}

type csafVulnerability struct {
	CVE string `json:"cve"`
	IDs []struct {
		Text string `json:"text"`
	} `json:"ids"`
	Status struct {
		NotAffected   []string `json:"known_not_affected"`
		Fixed         []string `json:"fixed"`
		FirstFixed    []string `json:"first_fixed"`
		Affected      []string `json:"known_affected"`
		Investigation []string `json:"under_investigation"`
	} `json:"product_status"`
	Flags []struct {
		Label    string   `json:"label"`
		Products []string `json:"product_ids"`
	} `json:"flags"`
	Threats []struct {
		Category string   `json:"category"`
		Details  string   `json:"details"`
		Products []string `json:"product_ids"`
	} `json:"threats"`
}

// CSAF reads the product status of a CSAF document: known_not_affected and fixed
// except. A product is recognised by the package URLs and hashes of its identification
// helper, that of a relationship by those of what it refers to, and one that has
// neither by the name of the asset.
func CSAF(name string, data []byte) ([]rule.Rule, []bulwark.Note, error) {
	var doc csaf
	if err := decode(name, "CSAF", data, &doc); err != nil {
		return nil, nil, err
	}
	products := doc.products()
	c := collector{file: name, author: doc.Document.Publisher.Name}
	stated := when(doc.Document.Tracking.Current)
	for i := range doc.Vulnerabilities {
		v := &doc.Vulnerabilities[i]
		ids := []string{v.CVE}
		for _, id := range v.IDs {
			ids = append(ids, id.Text)
		}
		groups := v.exempted()
		for _, why := range slices.Sorted(maps.Keys(groups)) {
			c.add(statement{ids: ids, products: pick(products, groups[why], false), exempt: true, stated: stated,
				status: "not_affected", why: []string{why}})
		}
		if fixed := slices.Concat(v.Status.Fixed, v.Status.FirstFixed); len(fixed) > 0 {
			c.add(statement{ids: ids, products: pick(products, fixed, true), exempt: true, stated: stated, status: "fixed"})
		}
	}
	return c.rules, c.notes(), nil
}

// exempted groups the products that are not affected by what is said about them.
func (v *csafVulnerability) exempted() map[string][]string {
	why := map[string]string{}
	for _, t := range v.Threats {
		if t.Category != "impact" {
			continue
		}
		for _, id := range t.Products {
			why[id] = cmp.Or(why[id], t.Details)
		}
	}
	for _, f := range v.Flags {
		for _, id := range f.Products {
			why[id] = strings.TrimSuffix(f.Label+": "+why[id], ": ")
		}
	}
	groups := map[string][]string{}
	for _, id := range v.Status.NotAffected {
		groups[why[id]] = append(groups[why[id]], id)
	}
	return groups
}

// products maps each product id to what it is recognised by.
func (d *csaf) products() map[string]rule.Product {
	out := map[string]rule.Product{}
	for _, p := range d.Tree.Products {
		out[p.ID] = p.product()
	}
	walkBranches(out, d.Tree.Branches)
	// A relationship may refer to another one: each pass settles one more step.
	for range 4 {
		for _, r := range d.Tree.Relationships {
			out[r.Product.ID] = related(out, r)
		}
	}
	return out
}

func walkBranches(out map[string]rule.Product, branches []csafBranch) {
	for _, b := range branches {
		if b.Product != nil {
			out[b.Product.ID] = b.Product.product()
		}
		walkBranches(out, b.Branches)
	}
}

func (p *csafProduct) product() rule.Product {
	out := rule.Product{PURLs: purlsOf(append(p.Helper.PURLs, p.Helper.PURL)...)}
	for _, h := range p.Helper.Hashes {
		for _, f := range h.FileHashes {
			if strings.EqualFold(f.Algorithm, "sha256") {
				out.Digests = append(out.Digests, "sha256:"+strings.ToLower(f.Value))
			}
		}
	}
	if len(out.PURLs) == 0 && len(out.Digests) == 0 {
		out.Name = p.Name
	}
	return out
}

// related is a component of a product. What it is called as a whole says nothing that
// could be compared, so it is known by the component's package URL, inside the
// product if that is an image.
func related(known map[string]rule.Product, r csafRelationship) rule.Product {
	own := r.Product.product()
	part, whole := known[r.Reference], known[r.RelatesTo]
	if len(own.PURLs) > 0 {
		return own
	}
	if len(part.PURLs) == 0 {
		return rule.Product{}
	}
	for _, s := range whole.PURLs {
		if strings.HasPrefix(s, "pkg:oci/") || strings.HasPrefix(s, "pkg:docker/") {
			return rule.Product{PURLs: whole.PURLs, Digests: whole.Digests, Parts: part.PURLs}
		}
	}
	return part
}

// pick gives the products of these ids as one rule's products. What is fixed must name
// the version that is: without it the statement would cover every older one too.
func pick(products map[string]rule.Product, ids []string, versioned bool) []rule.Product {
	out := make([]rule.Product, 0, len(ids))
	for _, id := range ids {
		p := products[id]
		if versioned && !hasVersion(p) {
			continue
		}
		out = append(out, p)
	}
	return out
}

func hasVersion(p rule.Product) bool {
	for _, s := range slices.Concat(p.PURLs, p.Parts) {
		if u, err := purl.Parse(s); err != nil || u.Version == "" {
			return false
		}
	}
	return true
}
