package outdated

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"time"
	"unicode"

	"bulwark"
	"bulwark/internal/limit"
)

const (
	workers  = 8 // requests at once
	attempts = 3
	// maxWait is the longest a server may make the next attempt wait.
	maxWait = 20 * time.Second
	// maxAnswer bounds what a registry says of one package.
	maxAnswer = 16 << 20
	// maxIndexFile bounds an index as it is stored; Debian's main one has 12 MB.
	maxIndexFile = 64 << 20
)

// get fetches an address. It tries again when the server is overloaded or the connection
// breaks, as long as the context lasts. The error wraps [bulwark.ErrNotFound] when there is
// nothing, else [bulwark.ErrUnavailable] or what the guard says.
func get(ctx context.Context, client *http.Client, address, accept string, most int64) ([]byte, error) {
	var err error
	for try := range attempts {
		var body []byte
		var wait time.Duration
		body, wait, err = once(ctx, client, address, accept, most)
		if err == nil || !errors.Is(err, bulwark.ErrUnavailable) || try == attempts-1 {
			return body, err
		}
		if werr := sleep(ctx, max(wait, time.Duration(try+1)*200*time.Millisecond)); werr != nil {
			return nil, err
		}
	}
	return nil, err
}

// once makes one request; wait is what the server asks for before the next.
func once(ctx context.Context, client *http.Client, address, accept string, most int64) (body []byte, wait time.Duration, err error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return nil, 0, fmt.Errorf("asking %q: %w: %w", line(address), bulwark.ErrMalformed, err)
	}
	if accept != "" {
		req.Header.Set("Accept", accept)
	}
	req.Header.Set("User-Agent", "bulwark")
	res, err := client.Do(req)
	if err != nil {
		return nil, 0, failure(address, err)
	}
	defer res.Body.Close()
	switch {
	case res.StatusCode == http.StatusOK:
	case res.StatusCode == http.StatusNotFound || res.StatusCode == http.StatusGone:
		return nil, 0, fmt.Errorf("%s: %w", redact(address), bulwark.ErrNotFound)
	case res.StatusCode == http.StatusTooManyRequests || res.StatusCode >= 500:
		return nil, retryAfter(res.Header), fmt.Errorf("%s: %s: %w", redact(address), res.Status, bulwark.ErrUnavailable)
	default:
		return nil, 0, fmt.Errorf("%s: %s: %w", redact(address), res.Status, bulwark.ErrUntrusted)
	}
	body, err = limit.ReadAll(res.Body, most, redact(address))
	if err != nil && !errors.Is(err, bulwark.ErrLimit) {
		err = failure(address, err)
	}
	return body, 0, err
}

func failure(address string, err error) error {
	if errors.Is(err, bulwark.ErrUntrusted) || errors.Is(err, bulwark.ErrLimit) {
		return fmt.Errorf("%s: %w", redact(address), cause(err))
	}
	return fmt.Errorf("%s: %w: %w", redact(address), bulwark.ErrUnavailable, cause(err))
}

// cause drops the address that net/http puts into its errors, which may hold credentials.
func cause(err error) error {
	var u *url.Error
	if errors.As(err, &u) {
		return u.Err
	}
	return err
}

// redact is an address for people: no credentials, no control characters.
func redact(address string) string {
	u, err := url.Parse(address)
	if err != nil {
		return "an address that cannot be read"
	}
	u.User, u.RawQuery = nil, ""
	return line(u.String())
}

// line makes foreign text one short printable line.
func line(s string) string {
	const longest = 300
	s = strings.Join(strings.FieldsFunc(s, func(r rune) bool { return unicode.IsSpace(r) || !unicode.IsPrint(r) }), " ")
	if len(s) > longest {
		s = strings.ToValidUTF8(s[:longest], "") + "..."
	}
	return s
}

func retryAfter(h http.Header) time.Duration {
	seconds, err := strconv.Atoi(h.Get("Retry-After"))
	if err != nil || seconds < 0 {
		return 0
	}
	return min(time.Duration(seconds)*time.Second, maxWait)
}

func sleep(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// each calls ask for every item, several at once, until the context ends. It returns the
// answers in the order of the items, and how many were not asked.
func each[T, A any](ctx context.Context, items []T, ask func(T) A) (answers []A, missed int) {
	answers = make([]A, len(items))
	next := make(chan int)
	var wg sync.WaitGroup
	for range min(workers, len(items)) {
		wg.Go(func() {
			for i := range next {
				answers[i] = ask(items[i])
			}
		})
	}
	for i := range items {
		if ctx.Err() != nil {
			missed = len(items) - i
			break
		}
		next <- i
	}
	close(next)
	wg.Wait()
	return answers, missed
}
