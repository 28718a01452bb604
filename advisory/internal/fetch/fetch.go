// Package fetch keeps copies of files from the network: it asks only for what changed,
// resumes what was interrupted, and replaces a copy in one step. It takes no locks:
// whoever fetches the same file at the same time does so on the side.
package fetch

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"bulwark"
)

// Client fetches. The zero value works.
type Client struct {
	HTTP  *http.Client                               // nil: one with sane timeouts
	Sleep func(context.Context, time.Duration) error // between tries; nil: as long as told
	Stall time.Duration                              // how long a peer may send nothing; 0: a minute
}

const (
	tries    = 5
	maxSleep = time.Minute
	maxState = 16 << 10
)

// state remembers what a copy is a copy of.
type state struct {
	URL          string `json:"url"`
	ETag         string `json:"etag,omitempty"`
	LastModified string `json:"lastModified,omitempty"`
	SHA256       string `json:"sha256,omitempty"` // of the copy that this speaks of
}

// download is one file on its way.
type download struct {
	c    *Client
	url  string
	dest string
	max  int64
	tmp  *os.File
	have int64 // bytes of it on disk
	of   state // what they belong to
	old  state // the copy at dest
}

// File brings dest up to date with url and tells whether it changed; at most max bytes.
// check, which may be nil, judges the new file before it replaces the old one. The error
// wraps [bulwark.ErrNotFound] when the server has no such file, [bulwark.ErrUnavailable],
// [bulwark.ErrUntrusted], [bulwark.ErrLimit], or what check said.
func (c *Client) File(ctx context.Context, address, dest string, max int64, check func(path string) error) (changed bool, err error) {
	if err := os.MkdirAll(filepath.Dir(dest), 0o755); err != nil {
		return false, err
	}
	d := &download{c: c, url: address, dest: dest, max: max, old: readState(dest)}
	if d.old.URL != address || d.old.SHA256 == "" || sum(dest) != d.old.SHA256 {
		d.old = state{}
	}
	if err := d.claim(); err != nil {
		return false, err
	}
	defer d.drop()
	done, err := d.run(ctx)
	if err != nil {
		d.keep()
		return false, fmt.Errorf("fetching %s: %w", redact(address), err)
	}
	if !done {
		return false, nil
	}
	return true, d.commit(check)
}

// run tries until it is done, does not need to be, or makes no sense any more.
func (d *download) run(ctx context.Context) (done bool, err error) {
	for try := 1; ; try++ {
		before := d.have
		done, wait, err := d.once(ctx)
		if ctx.Err() != nil {
			return false, ctx.Err()
		}
		if err == nil || !errors.Is(err, bulwark.ErrUnavailable) {
			return done, err
		}
		if d.have > before {
			try = 1 // it gets on
		}
		if try >= tries {
			return false, err
		}
		if err := d.c.sleep(ctx, max(wait, time.Second<<(try-1))); err != nil {
			return false, err
		}
	}
}

// once asks once. wait is how long the server wants to be left alone.
func (d *download) once(ctx context.Context) (done bool, wait time.Duration, err error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, d.url, nil)
	if err != nil || req.URL.Scheme != "http" && req.URL.Scheme != "https" {
		return false, 0, fmt.Errorf("not an http address: %w", bulwark.ErrUnsupported)
	}
	d.conditions(req.Header)
	res, err := d.c.client().Do(req)
	if err != nil {
		return false, 0, unavailable(err)
	}
	defer res.Body.Close()
	switch res.StatusCode {
	case http.StatusNotModified:
		return false, 0, nil
	case http.StatusOK:
		err = d.restart()
	case http.StatusPartialContent:
		if !strings.HasPrefix(res.Header.Get("Content-Range"), "bytes "+strconv.FormatInt(d.have, 10)+"-") {
			return false, 0, errors.Join(d.restart(), unavailable(errors.New("the server sent another part than was asked for")))
		}
	case http.StatusRequestedRangeNotSatisfiable:
		return false, 0, errors.Join(d.restart(), unavailable(errors.New(res.Status)))
	case http.StatusNotFound, http.StatusGone:
		return false, 0, fmt.Errorf("%s: %w", res.Status, bulwark.ErrNotFound)
	case http.StatusUnauthorized, http.StatusForbidden:
		return false, 0, fmt.Errorf("%s: %w", res.Status, bulwark.ErrUntrusted)
	default:
		return false, retryAfter(res.Header.Get("Retry-After")), unavailable(errors.New(res.Status))
	}
	if err != nil {
		return false, 0, err
	}
	d.of = state{URL: d.url, ETag: res.Header.Get("ETag"), LastModified: res.Header.Get("Last-Modified")}
	if d.have+res.ContentLength > d.max {
		return false, 0, fmt.Errorf("%d bytes: %w", d.have+res.ContentLength, bulwark.ErrLimit)
	}
	return true, 0, d.body(res, cancel)
}

// conditions asks for the rest of what is there, or for what is newer than the copy.
func (d *download) conditions(h http.Header) {
	h.Set("User-Agent", "bulwark")
	h.Set("Accept-Encoding", "identity") // ranges are of the file, not of an encoding of it
	if validator := d.of.strong(); d.have > 0 && validator != "" {
		h.Set("Range", "bytes="+strconv.FormatInt(d.have, 10)+"-")
		h.Set("If-Range", validator)
		return
	}
	if d.old.ETag != "" {
		h.Set("If-None-Match", d.old.ETag)
	}
	if d.old.LastModified != "" {
		h.Set("If-Modified-Since", d.old.LastModified)
	}
}

// strong is what tells one version of the file from another byte for byte.
func (s state) strong() string {
	if s.ETag != "" && !strings.HasPrefix(s.ETag, "W/") {
		return s.ETag
	}
	return s.LastModified
}

// body appends the response to the temporary file. A peer that stalls is cut off.
func (d *download) body(res *http.Response, cancel func()) error {
	stall := d.c.Stall
	if stall == 0 {
		stall = time.Minute
	}
	watch := time.AfterFunc(stall, cancel)
	defer watch.Stop()
	buf := make([]byte, 64<<10)
	for {
		n, err := res.Body.Read(buf)
		watch.Reset(stall)
		if d.have+int64(n) > d.max {
			return fmt.Errorf("more than %d bytes: %w", d.max, bulwark.ErrLimit)
		}
		if _, err := d.tmp.Write(buf[:n]); err != nil {
			return err
		}
		d.have += int64(n)
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return unavailable(err)
		}
	}
}

func (d *download) restart() error {
	d.have, d.of = 0, state{}
	if err := d.tmp.Truncate(0); err != nil {
		return err
	}
	_, err := d.tmp.Seek(0, io.SeekStart)
	return err
}

// claim takes over what an earlier, interrupted download left. Renaming it is what makes
// it ours: of two that try, one succeeds.
func (d *download) claim() error {
	tmp, err := os.CreateTemp(filepath.Dir(d.dest), "."+filepath.Base(d.dest)+".tmp-*")
	if err != nil {
		return err
	}
	d.tmp = tmp
	of := readState(d.part())
	if of.URL != d.url || of.strong() == "" || os.Rename(d.part(), tmp.Name()) != nil {
		return nil
	}
	tmp.Close()
	if d.tmp, err = os.OpenFile(tmp.Name(), os.O_RDWR, 0o600); err != nil {
		return err
	}
	d.have, err = d.tmp.Seek(0, io.SeekEnd)
	d.of = of
	return err
}

func (d *download) part() string { return d.dest + ".part" }

// keep leaves what was read for the next try.
func (d *download) keep() {
	if d.have == 0 || d.of.strong() == "" || d.have > d.max {
		return
	}
	if writeState(d.part(), d.of) == nil {
		d.tmp.Close()
		os.Rename(d.tmp.Name(), d.part()) //nolint:errcheck // then the next try starts anew
	}
}

// drop removes the temporary file where it was neither kept nor committed.
func (d *download) drop() {
	d.tmp.Close()
	os.Remove(d.tmp.Name())
}

func (d *download) commit(check func(string) error) error {
	if err := errors.Join(d.tmp.Sync(), d.tmp.Chmod(0o644), d.tmp.Close()); err != nil {
		return fmt.Errorf("writing %s: %w", d.dest, err)
	}
	if check != nil {
		if err := check(d.tmp.Name()); err != nil {
			return fmt.Errorf("%s: %w", redact(d.url), err)
		}
	}
	d.of.SHA256 = sum(d.tmp.Name())
	if err := os.Rename(d.tmp.Name(), d.dest); err != nil {
		return err
	}
	return writeState(d.dest, d.of)
}

func (c *Client) client() *http.Client {
	if c.HTTP != nil {
		return c.HTTP
	}
	return defaultClient
}

var defaultClient = &http.Client{
	Transport: func() http.RoundTripper {
		t := http.DefaultTransport.(*http.Transport).Clone()
		t.ResponseHeaderTimeout = 30 * time.Second
		return t
	}(),
	CheckRedirect: func(req *http.Request, via []*http.Request) error {
		if len(via) > 10 || via[0].URL.Scheme == "https" && req.URL.Scheme != "https" {
			return fmt.Errorf("redirected to %s: %w", req.URL.Redacted(), bulwark.ErrUntrusted)
		}
		return nil
	},
}

func (c *Client) sleep(ctx context.Context, d time.Duration) error {
	d = min(d, maxSleep)
	if c.Sleep != nil {
		return c.Sleep(ctx, d)
	}
	select {
	case <-time.After(d):
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

func unavailable(err error) error {
	if errors.Is(err, bulwark.ErrUntrusted) {
		return err
	}
	var u *url.Error
	if errors.As(err, &u) {
		err = u.Err // it repeats the address, credentials and all
	}
	if errors.Is(err, context.Canceled) { // the watch cut it off; run tells when the caller did
		err = errors.New("the server sends nothing")
	}
	return fmt.Errorf("%w: %w", bulwark.ErrUnavailable, err)
}

func retryAfter(s string) time.Duration {
	if n, err := strconv.Atoi(s); err == nil && n > 0 {
		return time.Duration(min(n, 3600)) * time.Second
	}
	return 0
}

func redact(address string) string {
	u, err := url.Parse(address)
	if err != nil {
		return "an address that cannot be read"
	}
	return u.Redacted()
}

func readState(path string) (s state) {
	f, err := os.Open(path + ".http")
	if err != nil {
		return s
	}
	defer f.Close()
	b, err := io.ReadAll(io.LimitReader(f, maxState))
	if err != nil || json.Unmarshal(b, &s) != nil {
		return state{}
	}
	return s
}

func writeState(path string, s state) error {
	b, err := json.Marshal(s)
	if err != nil {
		return err
	}
	return Replace(path+".http", b)
}

// Replace writes a small file in one step.
func Replace(path string, b []byte) error {
	f, err := os.CreateTemp(filepath.Dir(path), "."+filepath.Base(path)+".tmp-*")
	if err != nil {
		return err
	}
	_, err = f.Write(b)
	if err = errors.Join(err, f.Chmod(0o644), f.Close()); err == nil {
		err = os.Rename(f.Name(), path)
	}
	if err != nil {
		os.Remove(f.Name())
		return fmt.Errorf("writing %s: %w", path, err)
	}
	return nil
}

// sum is the digest of a file, "" when it cannot be read.
func sum(path string) string {
	f, err := os.Open(path)
	if err != nil {
		return ""
	}
	defer f.Close()
	h := sha256.New()
	if _, err := io.Copy(h, f); err != nil {
		return ""
	}
	return hex.EncodeToString(h.Sum(nil))
}

// Sweep removes temporary files that a killed process left in a folder before a time.
func Sweep(dir string, before time.Time) {
	filepath.WalkDir(dir, func(path string, e fs.DirEntry, err error) error { //nolint:errcheck // what is left does no harm
		if err != nil || e.IsDir() || !strings.HasPrefix(e.Name(), ".") || !strings.Contains(e.Name(), ".tmp-") {
			return nil
		}
		if info, err := e.Info(); err == nil && info.ModTime().Before(before) {
			os.Remove(path)
		}
		return nil
	})
}
