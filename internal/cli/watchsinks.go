package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"time"

	"github.com/spf13/pflag"

	"bulwark"
	"bulwark/all"
	"bulwark/report"
	"bulwark/report/otlp"
	"bulwark/report/prometheus"
	"bulwark/report/syslog"
	"bulwark/report/webhook"
	"bulwark/watch"
)

// receivers are whom findings are sent to.
type receivers struct {
	syslog  string
	webhook string
	headers []string
	buffer  string
	body    string
	otlp    string
	bearing []string
	metrics string
	ca      string
}

func (r *receivers) flags(f *pflag.FlagSet) {
	f.StringVar(&r.syslog, "syslog", "", "send findings to `ADDRESS` by syslog: unix:///dev/log udp://host:514 tcp://host:601 tls://host:6514")
	f.StringVar(&r.webhook, "webhook", "", "post findings to `URL`")
	f.StringArrayVar(&r.headers, "webhook-header", nil, "`NAME: VALUE` sent with every post (repeatable); BULWARK_WEBHOOK_HEADER keeps it from the list of processes")
	f.StringVar(&r.buffer, "webhook-buffer", "", "`FOLDER` that keeps what could not be posted yet")
	f.StringVar(&r.body, "webhook-format", "jsonl", "`FORMAT` of what is posted: "+strings.Join(names(all.Streams()), " "))
	f.StringVar(&r.otlp, "otlp", "", "send findings as OpenTelemetry's log records to `URL`, as in http://collector:4318")
	f.StringArrayVar(&r.bearing, "otlp-header", nil, "`NAME: VALUE` sent with every request for --otlp (repeatable); BULWARK_OTLP_HEADER keeps it from the list of processes")
	f.StringVar(&r.metrics, "metrics", "", "serve counts for Prometheus on `HOST:PORT`")
	f.StringVar(&r.ca, "sink-ca", "", "`FILE` of certificates (PEM) to trust for syslog, webhook and otlp instead of the system's")
}

// sink is a receiver that is waited for at the end, but not for long.
type sink interface {
	bulwark.Handler
	prometheus.Counter
	Queued() int
	Close(context.Context) error
}

// mostClosing is how long receivers have at the end to take what waits.
const mostClosing = 5 * time.Second

// receive opens the receivers that were asked for. done lets go of them.
func (w *watching) receive(e *watch.Watcher, out *sinks) (done func(), err error) {
	var list []func()
	done = func() {
		for _, end := range list {
			end()
		}
	}
	open, counters, queues := w.openers(), map[string]prometheus.Counter{}, map[string]func() int{}
	for _, name := range []string{"syslog", "webhook", "otlp"} {
		if open[name] == nil {
			continue
		}
		s, err := open[name]()
		if err != nil {
			done()
			return nil, &exit{code: exitUsage, err: fmt.Errorf("--%s: %w", name, err)}
		}
		out.handlers = append(out.handlers, s)
		counters[name], queues[name] = s, s.Queued
		list = append(list, func() { w.closed(name, s) })
	}
	if w.to.metrics != "" {
		if _, err := net.ResolveTCPAddr("tcp", w.to.metrics); err != nil {
			done()
			return nil, &exit{code: exitUsage, err: fmt.Errorf("--metrics %s: %w", w.to.metrics, err), hint: "say where to listen: --metrics 127.0.0.1:9100"}
		}
		end, err := w.serve(e, out, counters, queues)
		if err != nil {
			done()
			return nil, fmt.Errorf("--metrics: %w", err)
		}
		list = append(list, end)
	}
	return done, nil
}

func (w *watching) closed(name string, s sink) {
	ctx, cancel := context.WithTimeout(context.Background(), mostClosing)
	defer cancel()
	if err := s.Close(ctx); err != nil {
		w.say("note: %s: %v", name, err)
	}
}

// openers make the receivers that were asked for.
func (w *watching) openers() map[string]func() (sink, error) {
	note := func(n bulwark.Note) { w.say("note: %s: %s", n.Plugin, n.Text) }
	all := map[string]func() (sink, error){}
	if w.to.syslog != "" {
		all["syslog"] = func() (sink, error) {
			return opened(syslog.New(syslog.Options{Address: w.to.syslog, TLS: syslog.TLS{CA: w.to.ca}, Note: note}))
		}
	}
	if w.to.webhook != "" {
		all["webhook"] = func() (sink, error) {
			o := webhook.Options{URL: w.to.webhook, Buffer: w.to.buffer, TLS: webhook.TLS{CA: w.to.ca}, Note: note}
			var err error
			if o.Header, err = headers(w.to.headers); err != nil {
				return nil, err
			}
			if o.Format, err = body(w.to.body); err != nil {
				return nil, err
			}
			return opened(webhook.New(o))
		}
	}
	if w.to.otlp != "" {
		all["otlp"] = func() (sink, error) {
			h, err := headers(w.to.bearing)
			if err != nil {
				return nil, err
			}
			return opened(otlp.New(otlp.Options{Endpoint: w.to.otlp, Header: h, TLS: otlp.TLS{CA: w.to.ca}, Version: version(), Note: note}))
		}
	}
	return all
}

// opened keeps a nil receiver from being one.
func opened[S sink](s S, err error) (sink, error) {
	if err != nil {
		return nil, err
	}
	return s, nil
}

func headers(list []string) (http.Header, error) {
	all := http.Header{}
	for _, one := range list {
		name, value, ok := strings.Cut(one, ":")
		if !ok || name == "" {
			return nil, errors.New("a header is written as NAME: VALUE")
		}
		all.Add(strings.TrimSpace(name), strings.TrimSpace(value))
	}
	return all, nil
}

// body makes what is posted; nil: records as in jsonl.
func body(name string) (func(io.Writer) bulwark.Handler, error) {
	f, err := formatNamed(all.Streams(), name)
	if err != nil || name == "jsonl" {
		return nil, err
	}
	return func(to io.Writer) bulwark.Handler { return f.New(to, report.Options{Stream: true}) }, nil
}

// serve answers Prometheus.
func (w *watching) serve(e *watch.Watcher, out *sinks, outputs map[string]prometheus.Counter, queues map[string]func() int) (end func(), err error) {
	l, err := net.Listen("tcp", w.to.metrics)
	if err != nil {
		return nil, err
	}
	m := prometheus.New(prometheus.Options{Version: version(), Events: func() map[string][]bulwark.Count { return bySensor(e) }, Outputs: outputs, Queues: queues, Loads: func() []prometheus.Load { return loads(e) }, Now: time.Now()})
	out.handlers = append(out.handlers, m)
	server, done := m.Server(), make(chan struct{})
	go func() {
		defer close(done)
		if err := server.Serve(l); err != nil && !errors.Is(err, http.ErrServerClosed) {
			w.say("note: --metrics: %v", err)
		}
	}()
	return func() {
		server.Close()
		<-done
	}, nil
}

// bySensor are the counts of sensors by the names that their folders have.
func bySensor(e *watch.Watcher) map[string][]bulwark.Count {
	all := map[string][]bulwark.Count{}
	for name, counts := range e.Counts() {
		all[strings.TrimPrefix(name, "source/")] = counts
	}
	return all
}
