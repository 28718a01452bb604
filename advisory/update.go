package advisory

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"bulwark"
	"bulwark/advisory/internal/fetch"
	"bulwark/advisory/internal/file"
)

// The public sources.
const (
	publicOSV  = "https://osv-vulnerabilities.storage.googleapis.com"
	publicKEV  = "https://www.cisa.gov/sites/default/files/feeds/known_exploited_vulnerabilities.json"
	publicEPSS = "https://epss.empiricalsecurity.com/epss_scores-current.csv.gz"
	publicEOL  = "https://endoflife.date/api/v1/products/full"
)

// UpdateOptions says where to update from.
type UpdateOptions struct {
	// From is a folder, or the address of a plain HTTP mirror: OSV's bucket layout in osv/
	// or on top, with kev.json, epss_scores-*.csv.gz and eol.json beside it. Empty: the
	// public sources.
	From     string
	Now      time.Time
	Progress func(string) // told what was fetched and read; may be nil
	Warn     func(string) // told what could not be had or was left out; nil: Progress is

	client *fetch.Client // for tests
}

func (o *UpdateOptions) say(format string, args ...any) {
	if o.Progress != nil {
		o.Progress(fmt.Sprintf(format, args...))
	}
}

func (o *UpdateOptions) warn(format string, args ...any) {
	if o.Warn == nil {
		o.say(format, args...)
		return
	}
	o.Warn(fmt.Sprintf(format, args...))
}

// Update brings the database at path up to date. What it fetches is kept in the folder
// path + ".sources", so that the next time only what changed is asked for: files by
// conditional requests, records by the bucket's modified_id.csv. An interrupted download
// is resumed. When nothing changed since the database was built, and that is less than
// a day ago, it stays as it is. Several updates at once may do the same work twice, and
// all succeed.
func Update(ctx context.Context, o UpdateOptions, path string) error {
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return fmt.Errorf("updating %s: %w", path, err)
	}
	from, err := o.sources(ctx, path+".sources")
	if err != nil {
		return fmt.Errorf("updating %s: %w", path, err)
	}
	fetch.Sweep(filepath.Dir(path), o.Now.Add(-24*time.Hour))
	for range 3 { // another update may change the sources while they are read
		print := fingerprint(from)
		if o.current(path, print) {
			o.say("nothing changed, %s is up to date", path)
			return nil
		}
		from.Now, from.Progress, from.Warn = o.Now, o.Progress, o.Warn
		if err := Build(ctx, from, path); err != nil {
			return err
		}
		if print == fingerprint(from) {
			return o.remember(path, print)
		}
	}
	return nil
}

// sources gives the local files to build from, fetching what is not local.
func (o *UpdateOptions) sources(ctx context.Context, cache string) (BuildOptions, error) {
	if o.From != "" && !isURL(o.From) {
		return folder(o.From)
	}
	c := cmp.Or(o.client, &fetch.Client{})
	say, warn := func(s string) { o.say("%s", s) }, func(s string) { o.warn("%s", s) }
	if o.From == "" {
		if err := c.Bucket(ctx, publicOSV, filepath.Join(cache, "osv"), say, warn); err != nil {
			return BuildOptions{}, err
		}
		o.side(ctx, c, filepath.Join(cache, "kev.json"), maxKEV, publicKEV)
		o.side(ctx, c, filepath.Join(cache, "epss.csv.gz"), maxEPSS, publicEPSS)
		o.side(ctx, c, filepath.Join(cache, "eol.json"), maxEOL, publicEOL)
		return folder(cache)
	}
	base := strings.TrimRight(o.From, "/")
	cache = filepath.Join(cache, "mirror-"+shortSum(base)) // never mixed with another mirror's
	err := c.Bucket(ctx, base+"/osv", filepath.Join(cache, "osv"), say, warn)
	if errors.Is(err, bulwark.ErrNotFound) {
		err = c.Bucket(ctx, base, filepath.Join(cache, "osv"), say, warn)
	}
	if err != nil {
		return BuildOptions{}, err
	}
	o.side(ctx, c, filepath.Join(cache, "kev.json"), maxKEV, base+"/kev.json")
	o.side(ctx, c, filepath.Join(cache, "eol.json"), maxEOL, base+"/eol.json")
	o.side(ctx, c, filepath.Join(cache, "epss.csv.gz"), maxEPSS, o.scores(ctx, c, base, cache)...)
	return folder(cache)
}

// side fetches a source that the database can do without, from the first address that
// has it.
func (o *UpdateOptions) side(ctx context.Context, c *fetch.Client, dest string, max int64, addresses ...string) {
	var err error
	for _, a := range addresses {
		var changed bool
		if changed, err = c.File(ctx, a, dest, max, nil); err == nil {
			if changed {
				o.say("%s: fetched", filepath.Base(dest))
			} else {
				o.say("%s: unchanged", filepath.Base(dest))
			}
			return
		}
		if !errors.Is(err, bulwark.ErrNotFound) {
			break
		}
	}
	if _, old := os.Stat(dest); old == nil {
		o.warn("%s: kept as it was: %v", filepath.Base(dest), err)
		return
	}
	o.warn("%s: done without: %v", filepath.Base(dest), err)
}

// scores lists where a plain mirror may have the exploit probabilities, whose name has
// a date: what its index page names, the newest first, or without a date.
func (o *UpdateOptions) scores(ctx context.Context, c *fetch.Client, base, cache string) []string {
	list := []string{base + "/epss_scores-current.csv.gz", base + "/epss.csv.gz"}
	page := filepath.Join(cache, "index.html")
	if _, err := c.File(ctx, base+"/", page, 4<<20, nil); err != nil {
		return list
	}
	b, err := os.ReadFile(page)
	if err != nil {
		return list
	}
	var dated []string
	for _, part := range strings.Split(string(b), "epss_scores-")[1:] {
		date, _, ok := strings.Cut(part, ".csv.gz")
		if _, err := time.Parse(time.DateOnly, date); ok && err == nil {
			dated = append(dated, base+"/epss_scores-"+date+".csv.gz")
		}
	}
	slices.Sort(dated)
	slices.Reverse(dated)
	return append(slices.Compact(dated), list...)
}

// folder finds the sources in a folder. Only the advisories must be there.
func folder(dir string) (BuildOptions, error) {
	var o BuildOptions
	info, err := os.Stat(dir)
	if err != nil {
		return o, fmt.Errorf("%s: %w: %w", dir, bulwark.ErrNotFound, err)
	}
	o.OSV = dir
	if sub := filepath.Join(dir, "osv"); info.IsDir() {
		if i, err := os.Stat(sub); err == nil && i.IsDir() {
			o.OSV = sub
		}
	}
	for _, s := range []struct {
		dst   *string
		names []string
	}{{&o.KEV, kevNames}, {&o.EPSS, epssNames}, {&o.EOL, eolNames}} {
		if name, err := findSource(dir, s.names); err == nil && info.IsDir() {
			*s.dst = name
		}
	}
	return o, nil
}

func isURL(s string) bool {
	return strings.HasPrefix(s, "http://") || strings.HasPrefix(s, "https://")
}

func shortSum(s string) string {
	sum := sha256.Sum256([]byte(s))
	return hex.EncodeToString(sum[:6])
}

// fingerprint changes when a source does: it covers the names, sizes and times of its files.
func fingerprint(o BuildOptions) string {
	h := sha256.New()
	for _, root := range []string{o.OSV, o.KEV, o.EPSS, o.EOL} {
		fmt.Fprintf(h, "%s\n", root)
		if root == "" {
			continue
		}
		filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error { //nolint:errcheck // what cannot be seen now is seen when it is read
			if err != nil || d.IsDir() || strings.HasPrefix(d.Name(), ".") {
				return nil
			}
			switch filepath.Ext(path) {
			case ".zip", ".json", ".gz", ".csv":
			default:
				return nil
			}
			if info, err := os.Stat(path); err == nil {
				fmt.Fprintf(h, "%s %d %d\n", path, info.Size(), info.ModTime().UnixNano())
			}
			return nil
		})
	}
	return hex.EncodeToString(h.Sum(nil))
}

// built remembers what the database at a path was built from.
type built struct {
	Sources  string `json:"sources"`  // fingerprint
	Database uint32 `json:"database"` // checksum
}

// current tells whether the database is the one that was built from these sources, and
// not so old that a new date is due.
func (o *UpdateOptions) current(path, print string) bool {
	var was built
	b, err := os.ReadFile(path + ".state")
	if err != nil || json.Unmarshal(b, &was) != nil || was.Sources != print {
		return false
	}
	db, err := Open(path)
	if err != nil {
		return false
	}
	defer db.Close()
	age := o.Now.Sub(db.info.Built)
	return db.r.Sum == was.Database && age >= 0 && age < 24*time.Hour
}

func (o *UpdateOptions) remember(path, print string) error {
	r, err := file.Open(path, formatVersion)
	if err != nil {
		return err
	}
	defer r.Close()
	b, err := json.Marshal(built{print, r.Sum})
	if err != nil {
		return err
	}
	return fetch.Replace(path+".state", b)
}

// fetchSources replaces the addresses in o by files in a temporary folder, which the
// caller removes; "" when there are none.
func fetchSources(ctx context.Context, o *BuildOptions, out string) (dir string, err error) {
	if !isURL(o.OSV) && !isURL(o.KEV) && !isURL(o.EPSS) && !isURL(o.EOL) && !slices.ContainsFunc(o.Feeds, isURL) {
		return "", nil
	}
	if dir, err = os.MkdirTemp(filepath.Dir(out), "."+filepath.Base(out)+".fetch-*"); err != nil {
		return "", err
	}
	defer func() {
		if err != nil {
			os.RemoveAll(dir)
		}
	}()
	c := &fetch.Client{}
	if base := strings.TrimRight(o.OSV, "/"); isURL(base) {
		o.OSV = filepath.Join(dir, "osv")
		if strings.HasSuffix(base, ".zip") || strings.HasSuffix(base, ".json") {
			_, err = c.File(ctx, base, filepath.Join(o.OSV, filepath.Base(base)), 4<<30, nil)
		} else {
			err = c.Bucket(ctx, base, o.OSV, func(s string) { o.say("%s", s) }, func(s string) { o.warn("%s", s) })
		}
		if err != nil {
			return "", err
		}
	}
	o.Feeds = slices.Clone(o.Feeds)
	for i, address := range o.Feeds {
		if !isURL(address) {
			continue
		}
		o.Feeds[i] = filepath.Join(dir, "feed-"+strconv.Itoa(i), path.Base(address))
		if _, err := c.File(ctx, address, o.Feeds[i], 4<<30, nil); err != nil {
			return "", err
		}
	}
	for _, s := range []struct {
		address *string
		name    string
		max     int64
	}{{&o.KEV, "kev.json", maxKEV}, {&o.EPSS, "epss.csv", maxEPSS}, {&o.EOL, "eol.json", maxEOL}} {
		if !isURL(*s.address) {
			continue
		}
		dest := filepath.Join(dir, s.name)
		if _, err := c.File(ctx, *s.address, dest, s.max, nil); err != nil {
			return "", err
		}
		*s.address = dest
	}
	return dir, nil
}
