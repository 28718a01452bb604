package cluster

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"
	"unicode"

	"github.com/klauspost/compress/gzip"

	"bulwark"
	"bulwark/internal/limit"
)

// statusError is a refusal of the API server.
type statusError struct {
	code    int
	message string
	next    string // of an expired list: the token by which it goes on
	after   time.Duration
}

func (e *statusError) Error() string {
	text := fmt.Sprintf("the API server says %d", e.code)
	if t := http.StatusText(e.code); t != "" {
		text += " " + t
	}
	if e.message != "" {
		text += ": " + e.message
	}
	return text
}

// Is tells which of the house's errors a refusal is.
func (e *statusError) Is(target error) bool {
	switch e.code {
	case http.StatusUnauthorized, http.StatusForbidden:
		return target == bulwark.ErrUntrusted
	case http.StatusNotFound:
		return target == bulwark.ErrNotFound
	}
	return target == bulwark.ErrUnavailable
}

func codeOf(err error) int {
	var e *statusError
	if errors.As(err, &e) {
		return e.code
	}
	return 0
}

// again tells whether asking once more may help.
func again(err error) bool {
	switch c := codeOf(err); {
	case c == 0:
		return errors.Is(err, bulwark.ErrUnavailable)
	default:
		return c == http.StatusTooManyRequests || c >= 500
	}
}

// unaddressed takes the address off an error of the client: it may hold a token.
func unaddressed(err error) error {
	var e *url.Error
	if errors.As(err, &e) {
		return e.Err
	}
	return err
}

// refusal reads why the server does not answer.
func (c *client) refusal(res *http.Response) error {
	e := &statusError{code: res.StatusCode}
	body := io.Reader(res.Body)
	if res.Header.Get("Content-Encoding") == "gzip" {
		if z, err := gzip.NewReader(res.Body); err == nil {
			body = z
		}
	}
	b, _ := limit.ReadAll(body, 64<<10, "a refusal") // what there is of it is enough
	var status struct {
		Message  string
		Metadata struct{ Continue string }
	}
	if json.Unmarshal(b, &status) == nil {
		e.message, e.next = status.Message, status.Metadata.Continue
	} else {
		e.message = string(bytes.TrimSpace(b))
	}
	e.message = oneLine(e.message)
	if s, err := strconv.Atoi(res.Header.Get("Retry-After")); err == nil && s > 0 {
		e.after = time.Duration(min(s, 3600)) * time.Second
	}
	if e.code == http.StatusUnauthorized {
		e.message = c.unauthorized(e.message)
	}
	return e
}

// oneLine makes foreign text fit to be shown.
func oneLine(s string) string {
	s = printable(s)
	if len(s) > 300 {
		s = strings.ToValidUTF8(s[:300], "") + " ..."
	}
	return s
}

// printable is a text on one line, without control characters.
func printable(s string) string {
	s = strings.ToValidUTF8(s[:min(len(s), 8<<10)], "?")
	s = strings.Map(func(r rune) rune {
		if r == '\n' || r == '\t' {
			return ' '
		}
		if !unicode.IsPrint(r) {
			return -1
		}
		return r
	}, s)
	return strings.Join(strings.Fields(s), " ")
}

// unauthorized says more of credentials that the server does not take.
func (c *client) unauthorized(message string) string {
	if why := c.expired(); why != "" {
		return why
	}
	why := "it does not take the credentials of the context " + printable(c.name) + ": they may have expired"
	if message == "" || message == "Unauthorized" {
		return why
	}
	return why + " (" + message + ")"
}

// tokenEnds is when a JSON web token expires; zero when that cannot be told.
func tokenEnds(token string) time.Time {
	parts := strings.Split(token, ".")
	if len(parts) != 3 {
		return time.Time{}
	}
	b, err := base64.RawURLEncoding.DecodeString(parts[1])
	var claims struct{ Exp float64 }
	if err != nil || json.Unmarshal(b, &claims) != nil || claims.Exp <= 0 || claims.Exp > 1e11 {
		return time.Time{}
	}
	return time.Unix(int64(claims.Exp), 0)
}
