package advisory

import (
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"
	"unicode"

	"bulwark"
	"bulwark/advisory/internal/file"
	"bulwark/internal/limit"
)

// maxEOL bounds the end-of-life data; the real one has 1.2 MB.
const maxEOL = 64 << 20

// Product gives a product by the name that endoflife.date uses for it: "debian".
func (db *DB) Product(name string) (Product, bool) {
	i, ok := db.search(db.products, name)
	if !ok {
		return Product{}, false
	}
	return db.product(i)
}

// ProductOfPURL gives a product by a package URL without version, as the data's
// identifiers have it: "pkg:generic/node".
func (db *DB) ProductOfPURL(purl string) (Product, bool) {
	i, ok := db.search(db.purls, purl)
	if !ok {
		return Product{}, false
	}
	b, err := db.item(db.purls, i)
	if err != nil {
		return Product{}, false
	}
	d := file.Decoder{B: b}
	d.Bytes()
	return db.product(int(min(d.Uint(), forever)))
}

// search finds the item of a sorted section that begins with a string.
func (db *DB) search(s section, key string) (int, bool) {
	lo, hi := 0, s.n
	for lo < hi {
		mid := (lo + hi) / 2
		b, err := db.item(s, mid)
		if err != nil {
			return 0, false
		}
		d := file.Decoder{B: b}
		switch c := strings.Compare(d.String(), key); {
		case c == 0:
			return mid, true
		case c < 0:
			lo = mid + 1
		default:
			hi = mid
		}
	}
	return 0, false
}

const (
	flagEnded = 1
	flagLTS   = 2
)

func (db *DB) product(i int) (Product, bool) {
	b, err := db.item(db.products, i)
	if err != nil {
		return Product{}, false
	}
	d := file.Decoder{B: slices.Clone(b)} // the caller may outlive the database
	p := Product{Name: d.String(), Title: d.String(), Category: d.String()}
	for range d.Count() {
		flags := d.Byte()
		p.Releases = append(p.Releases, ProductRelease{
			Cycle: d.String(), Codename: d.String(), Latest: d.String(),
			Released: d.Time(), LatestReleased: d.Time(), EOL: d.Time(), Extended: d.Time(),
			Ended: flags&flagEnded != 0, LTS: flags&flagLTS != 0,
		})
		if d.Bad {
			return Product{}, false
		}
	}
	return p, !d.Bad
}

func encodeProduct(p *Product) []byte {
	var e file.Encoder
	e.String(p.Name)
	e.String(p.Title)
	e.String(p.Category)
	e.Uint(uint64(len(p.Releases)))
	for _, r := range p.Releases {
		var flags byte
		if r.Ended {
			flags |= flagEnded
		}
		if r.LTS {
			flags |= flagLTS
		}
		e.Byte(flags)
		for _, s := range []string{r.Cycle, r.Codename, r.Latest} {
			e.String(s)
		}
		for _, t := range []time.Time{r.Released, r.LatestReleased, r.EOL, r.Extended} {
			e.Time(t)
		}
	}
	return e.B
}

// eolData is what was read of the end-of-life data.
type eolData struct {
	products []Product         // sorted by name
	purls    map[string]string // to the product's name
	releases int
	newest   time.Time
}

// The two shapes: the project's own files, and what its API gives.
type (
	eolProduct struct {
		Name        string                       `json:"name"`
		Title       string                       `json:"title"`
		Label       string                       `json:"label"`
		Category    string                       `json:"category"`
		Identifiers []map[string]json.RawMessage `json:"identifiers"`
		Releases    []eolRelease                 `json:"releases"`
	}
	eolRelease struct {
		Cycle    string          `json:"releaseCycle"`
		Name     string          `json:"name"`
		Codename string          `json:"codename"`
		Released string          `json:"releaseDate"`
		Latest   json.RawMessage `json:"latest"` // "1.2", or {"name","date"}
		LatestAt string          `json:"latestReleaseDate"`
		EOL      json.RawMessage `json:"eol"` // date or bool
		Extended json.RawMessage `json:"eoes"`
		LTS      json.RawMessage `json:"lts"`
		IsLTS    bool            `json:"isLts"`
		IsEOL    bool            `json:"isEol"`
		EOLFrom  string          `json:"eolFrom"`
		ExtFrom  string          `json:"eoesFrom"`
	}
)

// parseEOL reads {"products": {name: product}}, {"result": [product]} or [product].
func parseEOL(r io.Reader) (*eolData, error) {
	b, err := limit.ReadAll(r, maxEOL, "end-of-life data")
	if err != nil {
		return nil, err
	}
	var doc struct {
		Date     string                `json:"date"`
		Products map[string]eolProduct `json:"products"`
		Result   []eolProduct          `json:"result"`
		Modified string                `json:"generated_at"`
	}
	if trimmed := strings.TrimSpace(string(b[:min(len(b), 64)])); strings.HasPrefix(trimmed, "[") {
		err = json.Unmarshal(b, &doc.Result)
	} else {
		err = json.Unmarshal(b, &doc)
	}
	if err != nil {
		return nil, fmt.Errorf("end-of-life data: %w: %w", bulwark.ErrMalformed, err)
	}
	data := &eolData{purls: map[string]string{}, newest: dateOf(doc.Date)}
	if t, err := time.Parse(time.RFC3339, doc.Modified); err == nil {
		data.newest = t.UTC()
	}
	for name, p := range doc.Products {
		if p.Name == "" {
			p.Name = name
		}
		doc.Result = append(doc.Result, p)
	}
	for i := range doc.Result {
		data.add(&doc.Result[i])
	}
	if len(data.products) == 0 {
		return nil, fmt.Errorf("end-of-life data names no product: %w", bulwark.ErrMalformed)
	}
	slices.SortStableFunc(data.products, func(a, b Product) int { return strings.Compare(a.Name, b.Name) })
	data.products = slices.CompactFunc(data.products, func(a, b Product) bool { return a.Name == b.Name })
	return data, nil
}

func (data *eolData) add(raw *eolProduct) {
	if raw.Name == "" {
		return
	}
	p := Product{Name: plain(raw.Name), Title: plain(raw.Title), Category: plain(raw.Category)}
	if p.Title == "" {
		p.Title = plain(raw.Label)
	}
	for i := range raw.Releases {
		p.Releases = append(p.Releases, releaseOf(&raw.Releases[i]))
	}
	data.releases += len(p.Releases)
	for _, id := range raw.Identifiers {
		purl := word(id["purl"])
		if word(id["type"]) == "purl" {
			purl = word(id["id"])
		}
		if old := data.purls[purl]; purl != "" && (old == "" || p.Name < old) {
			data.purls[purl] = p.Name
		}
	}
	data.products = append(data.products, p)
}

func releaseOf(raw *eolRelease) ProductRelease {
	r := ProductRelease{
		Cycle: plain(raw.Cycle), Codename: plain(raw.Codename), Released: dateOf(raw.Released),
		LatestReleased: dateOf(raw.LatestAt), EOL: dateOf(word(raw.EOL)), Extended: dateOf(word(raw.Extended)),
		LTS: raw.IsLTS || word(raw.LTS) != "" || string(raw.LTS) == "true",
	}
	if r.Cycle == "" {
		r.Cycle = plain(raw.Name)
	}
	var latest struct{ Name, Date string }
	if r.Latest = word(raw.Latest); r.Latest == "" && json.Unmarshal(raw.Latest, &latest) == nil {
		r.Latest, r.LatestReleased = plain(latest.Name), dateOf(latest.Date)
	}
	if r.EOL.IsZero() {
		r.EOL = dateOf(raw.EOLFrom)
	}
	if r.Extended.IsZero() {
		r.Extended = dateOf(raw.ExtFrom)
	}
	r.Ended = r.EOL.IsZero() && (string(raw.EOL) == "true" || raw.IsEOL)
	return r
}

// word is a JSON string; "" for anything else.
func word(raw json.RawMessage) string {
	var s string
	if json.Unmarshal(raw, &s) != nil {
		return ""
	}
	return plain(s)
}

// plain drops control characters and what is too long to be a name.
func plain(s string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsControl(r) {
			return -1
		}
		return r
	}, s[:min(len(s), 512)])
}

func dateOf(s string) time.Time {
	t, _ := time.Parse(time.DateOnly, s) // unreadable: none
	return t
}
