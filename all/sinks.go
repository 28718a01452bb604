package all

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"strings"

	"bulwark"
	"bulwark/report"
	"bulwark/report/otlp"
	"bulwark/report/syslog"
	"bulwark/report/webhook"
)

// Sink sends findings elsewhere and never waits for whoever takes them: what there is no room for is dropped, counted and told.
type Sink interface {
	bulwark.Handler
	// Counts tells what became of messages, and Queued how many wait.
	Counts() []bulwark.Count
	Queued() int
	// Close sends what waits until ctx is done, and tells what was not sent. It is called once.
	Close(ctx context.Context) error
}

// SinkOptions is what sinks may be told; all of it may be missing.
type SinkOptions struct {
	// Format is of messages, one of [Streams]; nil: what is usual there. OTLP has its own, and webhooks take no text.
	Format        *report.Format
	CA, Cert, Key string      // files in PEM: whom to trust instead of the system's, and what to show
	Header        http.Header // of webhooks and OTLP: a token, perhaps
	Buffer        string      // folder of webhooks for what waits
	MaxBuffer     int64       // bytes in it; 0: 64 MB
	Version       string      // of Bulwark
	Note          func(bulwark.Note)
}

// OpenSink begins to send to an address: syslog by unix:///dev/log, udp://, tcp:// or tls://host[:port] (with or without "syslog+" before
// it), a webhook at http:// or https://, OpenTelemetry's logs at otlp+http:// or otlp+https://. Errors never show what is secret in it.
func OpenSink(address string, o SinkOptions) (Sink, error) {
	var format func(io.Writer) bulwark.Handler
	if o.Format != nil {
		format = func(w io.Writer) bulwark.Handler { return o.Format.New(w, report.Options{Stream: true}) }
	}
	scheme, _, _ := strings.Cut(address, "://")
	secure := webhook.TLS{CA: o.CA, Cert: o.Cert, Key: o.Key}
	var s Sink
	var err error
	switch strings.ToLower(scheme) {
	case "unix", "udp", "tcp", "tls", "syslog+unix", "syslog+udp", "syslog+tcp", "syslog+tls":
		s, err = syslog.New(syslog.Options{Address: strings.TrimPrefix(address, "syslog+"), TLS: secure, Format: format, Note: o.Note})
	case "http", "https":
		if o.Format != nil && o.Format.Name == "text" {
			format = nil
		}
		s, err = webhook.New(webhook.Options{URL: address, TLS: secure, Header: o.Header, Format: format, Buffer: o.Buffer, MaxBuffer: o.MaxBuffer, Note: o.Note})
	case "otlp+http", "otlp+https":
		s, err = otlp.New(otlp.Options{Endpoint: strings.TrimPrefix(address, "otlp+"), TLS: secure, Header: o.Header, Version: o.Version, Note: o.Note})
	default:
		return nil, fmt.Errorf("nothing is sent by way of %.20q (unix, udp, tcp, tls, http, https, otlp+http, otlp+https): %w", scheme, bulwark.ErrUnsupported)
	}
	if err != nil {
		return nil, err
	}
	return s, nil
}
