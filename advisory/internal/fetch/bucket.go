package fetch

import (
	"archive/zip"
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"golang.org/x/sync/errgroup"

	"bulwark"
)

// Budgets of a bucket of advisories.
const (
	maxEcosystems = 1000
	maxZip        = 4 << 30
	maxIndex      = 512 << 20
	maxRecord     = 16 << 20
	maxList       = 1 << 20
	// fewChanges is up to how many records are fetched one by one.
	fewChanges = 300
	parallel   = 4
)

// Bucket brings dir up to date with a bucket in OSV's layout: ecosystems.txt,
// <Ecosystem>/all.zip, and, where the server has them, <Ecosystem>/modified_id.csv and
// <Ecosystem>/<ID>.json. An ecosystem that cannot be reached keeps its copy, and warn is
// told; without a copy it is an error. say is told of the others.
func (c *Client) Bucket(ctx context.Context, base, dir string, say, warn func(string)) error {
	list := filepath.Join(dir, "ecosystems.txt")
	if _, err := c.File(ctx, base+"/ecosystems.txt", list, maxList, nil); err != nil {
		return err
	}
	names, err := ecosystems(list)
	if err != nil {
		return err
	}
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(parallel)
	type line struct {
		tell func(string)
		text string
	}
	lines := make(chan line)
	told := make(chan struct{})
	go func() { // say and warn are called by one goroutine
		defer close(told)
		for l := range lines {
			l.tell(l.text)
		}
	}()
	for _, name := range names {
		g.Go(func() error {
			e := ecosystem{c, base + "/" + url.PathEscape(name), filepath.Join(dir, name)}
			what, err := e.sync(ctx)
			if err == nil {
				lines <- line{say, name + ": " + what}
				return nil
			}
			if _, old := os.Stat(e.zip()); old != nil || ctx.Err() != nil {
				return err
			}
			lines <- line{warn, fmt.Sprintf("%s: kept as it was: %v", name, err)}
			return nil
		})
	}
	err = g.Wait()
	close(lines)
	<-told
	return err
}

// ecosystems reads ecosystems.txt; releases ("Debian:12") are in their ecosystem's zip.
func ecosystems(path string) ([]string, error) {
	b, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	var out []string
	for line := range strings.Lines(string(b)) {
		name, _, _ := strings.Cut(strings.TrimSpace(line), ":")
		if name == "" || name == "[EMPTY]" || slices.Contains(out, name) {
			continue
		}
		if !fileName(name) || len(out) == maxEcosystems {
			return nil, fmt.Errorf("list of ecosystems, at %q: %w", name, bulwark.ErrMalformed)
		}
		out = append(out, name)
	}
	if len(out) == 0 {
		return nil, fmt.Errorf("list of ecosystems is empty: %w", bulwark.ErrMalformed)
	}
	return out, nil
}

// fileName tells whether a name from the server can be a file's without leaving its folder.
func fileName(s string) bool {
	if s == "" || len(s) > 128 || s[0] == '.' || !filepath.IsLocal(s) {
		return false
	}
	for i := range len(s) {
		if s[i] < ' ' || s[i] >= 0x7f || s[i] == '/' || s[i] == '\\' {
			return false
		}
	}
	return true
}

// ecosystem is one folder of the bucket.
type ecosystem struct {
	c         *Client
	base, dir string
}

func (e ecosystem) zip() string    { return filepath.Join(e.dir, "all.zip") }
func (e ecosystem) index() string  { return filepath.Join(e.dir, "modified_id.csv") }
func (e ecosystem) synced() string { return filepath.Join(e.dir, "synced.csv") }

// sync compares the bucket's index with what it was when the copy was made, and fetches
// the records that differ: one by one when they are few, else all of them.
func (e ecosystem) sync(ctx context.Context) (what string, err error) {
	_, err = e.c.File(ctx, e.base+"/modified_id.csv", e.index(), maxIndex, nil)
	if errors.Is(err, bulwark.ErrNotFound) { // a plain mirror
		return e.all(ctx, nil)
	}
	if err != nil {
		return "", err
	}
	next, err := os.ReadFile(e.index())
	if err != nil {
		return "", err
	}
	old, err := os.ReadFile(e.synced())
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return "", err
	}
	_, noZip := os.Stat(e.zip())
	if noZip == nil && bytes.Equal(old, next) {
		return "unchanged", nil
	}
	was, now := parseIndex(old), parseIndex(next)
	changed, gone := differ(was, now)
	if noZip != nil || len(was) == 0 || gone || len(changed) > fewChanges {
		what, err = e.all(ctx, now)
	} else {
		what, err = fmt.Sprintf("%d records changed", len(changed)), e.records(ctx, changed)
	}
	if err != nil {
		return "", err
	}
	return what, Replace(e.synced(), next)
}

// all fetches the zip, and what the index names and the zip does not have yet.
func (e ecosystem) all(ctx context.Context, now map[string]string) (string, error) {
	changed, err := e.c.File(ctx, e.base+"/all.zip", e.zip(), maxZip, checkZip)
	if err != nil {
		return "", err
	}
	if !changed {
		return "unchanged", nil
	}
	singles, err := filepath.Glob(filepath.Join(quote.Replace(e.dir), "*.json"))
	if err != nil {
		return "", err
	}
	for _, s := range singles {
		os.Remove(s)
		os.Remove(s + ".http")
	}
	missing, err := e.missing(now)
	if err != nil || len(missing) > fewChanges {
		return "fetched", err
	}
	return "fetched", e.records(ctx, missing)
}

var quote = strings.NewReplacer(`\`, `\\`, `*`, `\*`, `?`, `\?`, `[`, `\[`)

func checkZip(path string) error {
	z, err := zip.OpenReader(path)
	if err != nil {
		return fmt.Errorf("%w: %w", bulwark.ErrMalformed, err)
	}
	return z.Close()
}

func (e ecosystem) missing(now map[string]string) ([]string, error) {
	if len(now) == 0 {
		return nil, nil
	}
	z, err := zip.OpenReader(e.zip())
	if err != nil {
		return nil, err
	}
	defer z.Close()
	have := make(map[string]bool, len(z.File))
	for _, f := range z.File {
		have[strings.TrimSuffix(f.Name, ".json")] = true
	}
	var out []string
	for id := range now {
		if !have[id] {
			out = append(out, id)
		}
	}
	slices.Sort(out)
	return out, nil
}

// records fetches records one by one, beside the zip.
func (e ecosystem) records(ctx context.Context, ids []string) error {
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(2 * parallel)
	for _, id := range ids {
		g.Go(func() error {
			name := id + ".json"
			_, err := e.c.File(ctx, e.base+"/"+url.PathEscape(name), filepath.Join(e.dir, name), maxRecord, nil)
			if errors.Is(err, bulwark.ErrNotFound) {
				return nil // named, and gone since
			}
			return err
		})
	}
	return g.Wait()
}

// parseIndex reads modified_id.csv: a date and an id a line.
func parseIndex(b []byte) map[string]string {
	out := map[string]string{}
	lines := bufio.NewScanner(bytes.NewReader(b))
	for lines.Scan() {
		date, id, ok := strings.Cut(strings.TrimSpace(lines.Text()), ",")
		if ok && fileName(id) {
			out[id] = date
		}
	}
	return out
}

// differ lists what is new or has another date; gone is true when something went away.
func differ(was, now map[string]string) (changed []string, gone bool) {
	for id, date := range now {
		if was[id] != date {
			changed = append(changed, id)
		}
	}
	for id := range was {
		if _, ok := now[id]; !ok {
			gone = true
		}
	}
	slices.Sort(changed)
	return changed, gone
}
