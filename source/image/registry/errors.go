package registry

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"

	"github.com/google/go-containerregistry/pkg/v1/remote/transport"

	"bulwark"
	"bulwark/source/image/internal/layer"
)

// failed names what went wrong. Addresses with their queries, which may be signed, and
// what a peer writes are left out; no credential is in the text.
func failed(ctx context.Context, err error) error {
	var answer *transport.Error
	var certificate *tls.CertificateVerificationError
	var authority x509.UnknownAuthorityError
	switch {
	case errors.Is(context.Cause(ctx), errStalled):
		return fmt.Errorf("%w: %w", bulwark.ErrUnavailable, errStalled)
	case errors.Is(ctx.Err(), context.DeadlineExceeded):
		return fmt.Errorf("%w: %w", bulwark.ErrUnavailable, context.DeadlineExceeded)
	case ctx.Err() != nil:
		return ctx.Err()
	case errors.As(err, &answer):
		return status(answer)
	case errors.As(err, &certificate), errors.As(err, &authority):
		return fmt.Errorf("%w: %w (give the certificate of a private CA)", bulwark.ErrUntrusted, inner(err))
	case layer.IsNamed(err):
		return inner(err)
	case strings.Contains(err.Error(), "realm"):
		// The library refuses token services at private addresses and without TLS.
		return fmt.Errorf("the registry names a token service that cannot be trusted: %w", bulwark.ErrUntrusted)
	}
	return fmt.Errorf("%w: %w", bulwark.ErrUnavailable, inner(err))
}

// inner is the error without the address that was asked.
func inner(err error) error {
	var u *url.Error
	for errors.As(err, &u) {
		err = u.Err
	}
	return err
}

// status says what an answer means.
func status(e *transport.Error) error {
	what := fmt.Sprintf("the registry answers %d %s%s", e.StatusCode, http.StatusText(e.StatusCode), codes(e))
	switch e.StatusCode {
	case http.StatusUnauthorized, http.StatusForbidden:
		return fmt.Errorf("%s: %w (there is no such image, or it needs other credentials: use docker login, or set BULWARK_USERNAME and BULWARK_PASSWORD)", what, bulwark.ErrUntrusted)
	case http.StatusNotFound:
		return fmt.Errorf("%s: %w", what, bulwark.ErrNotFound)
	}
	return fmt.Errorf("%s: %w", what, bulwark.ErrUnavailable)
}

func isCode(s string) bool {
	return s != "" && len(s) <= 40 && strings.Trim(s, "ABCDEFGHIJKLMNOPQRSTUVWXYZ_") == ""
}

func codes(e *transport.Error) string {
	for _, d := range e.Errors {
		if isCode(string(d.Code)) {
			return " (" + string(d.Code) + ")"
		}
	}
	return ""
}
