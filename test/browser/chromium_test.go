package browser

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"sync"
	"testing"
	"time"
)

// patience bounds a browser that hangs.
const patience = 3 * time.Minute

// chromium is one headless browser that is driven over a pair of pipes: the DevTools
// protocol, JSON messages that end in a zero byte. It dies with its test.
type chromium struct {
	to     *os.File
	mu     sync.Mutex
	last   int
	calls  map[int]chan message
	events map[string]chan message // by session
	ended  chan struct{}
}

// message is a command, its answer, or an event.
type message struct {
	ID      int             `json:"id,omitempty"`
	Session string          `json:"sessionId,omitempty"`
	Method  string          `json:"method,omitempty"`
	Params  json.RawMessage `json:"params,omitempty"`
	Result  json.RawMessage `json:"result,omitempty"`
	Error   *struct {
		Message string `json:"message"`
	} `json:"error,omitempty"`
}

// start runs Debian's chromium. Without one the test is skipped, in CI it fails.
func start(t *testing.T) *chromium {
	t.Helper()
	path, err := find()
	if err != nil && os.Getenv("CI") == "true" {
		t.Fatal("no chromium on PATH: apt-get install chromium")
	}
	if err != nil {
		t.Skip("skipped: no chromium on PATH (apt-get install chromium)")
	}
	ours, theirs := pipe(t), pipe(t)
	ctx, cancel := context.WithTimeout(context.Background(), patience) // the context of t ends before its browser does
	cmd := exec.CommandContext(ctx, path, "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
		"--disable-background-networking", "--disable-component-update", "--disable-sync", "--disable-dev-shm-usage",
		"--user-data-dir="+t.TempDir(), "--remote-debugging-pipe", "about:blank")
	cmd.ExtraFiles = []*os.File{ours.r, theirs.w} // its descriptors 3 and 4
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	if err := cmd.Start(); err != nil {
		cancel()
		t.Fatal(err)
	}
	ours.r.Close()
	theirs.w.Close()
	c := &chromium{to: ours.w, calls: map[int]chan message{}, events: map[string]chan message{}, ended: make(chan struct{})}
	go c.read(theirs.r)
	t.Cleanup(func() {
		_, _ = c.call("", "Browser.close", nil)
		ours.w.Close()
		_ = cmd.Wait()
		cancel()
		if t.Failed() {
			t.Logf("chromium said:\n%.2000s", stderr.String())
		}
	})
	return c
}

func find() (string, error) {
	for _, name := range []string{"chromium", "chromium-browser", "google-chrome"} {
		if path, err := exec.LookPath(name); err == nil {
			return path, nil
		}
	}
	return "", exec.ErrNotFound
}

type pipes struct{ r, w *os.File }

func pipe(t *testing.T) pipes {
	t.Helper()
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	return pipes{r, w}
}

// read hands answers to their callers and events to their sessions until the browser ends.
func (c *chromium) read(r *os.File) {
	defer r.Close()
	defer close(c.ended)
	in := bufio.NewReader(r)
	for {
		line, err := in.ReadBytes(0)
		if err != nil {
			return
		}
		var m message
		if json.Unmarshal(bytes.TrimSuffix(line, []byte{0}), &m) != nil {
			return
		}
		c.mu.Lock()
		to := c.events[m.Session]
		if m.ID != 0 {
			to = c.calls[m.ID]
			delete(c.calls, m.ID)
		}
		c.mu.Unlock()
		if to != nil {
			to <- m
		}
	}
}

// call sends a command and waits for its answer.
func (c *chromium) call(session, method string, params any) (json.RawMessage, error) {
	raw, err := json.Marshal(params)
	if err != nil {
		return nil, err
	}
	c.mu.Lock()
	c.last++
	m := message{ID: c.last, Session: session, Method: method}
	if params != nil {
		m.Params = raw
	}
	answer := make(chan message, 1)
	c.calls[m.ID] = answer
	line, err := json.Marshal(m)
	if err == nil {
		_, err = c.to.Write(append(line, 0))
	}
	c.mu.Unlock()
	if err != nil {
		return nil, err
	}
	select {
	case a := <-answer:
		if a.Error != nil {
			return nil, fmt.Errorf("%s: %s", method, a.Error.Message)
		}
		return a.Result, nil
	case <-c.ended:
		return nil, errors.New(method + ": the browser ended")
	}
}

// page is one tab.
type page struct {
	t        *testing.T
	browser  *chromium
	session  string
	events   chan message
	problems []string // what went wrong on it, and what it asked the network for
}

// open loads a file in a tab of its own.
func (c *chromium) open(t *testing.T, file string, scripts bool) *page {
	t.Helper()
	p := &page{t: t, browser: c, events: make(chan message, 4096)}
	var target struct{ TargetID, SessionID string }
	p.must(&target, "Target.createTarget", map[string]any{"url": "about:blank"})
	p.must(&target, "Target.attachToTarget", map[string]any{"targetId": target.TargetID, "flatten": true})
	p.session = target.SessionID
	c.mu.Lock()
	c.events[p.session] = p.events
	c.mu.Unlock()
	for _, domain := range []string{"Page", "Runtime", "Log", "Network"} {
		p.must(nil, domain+".enable", nil)
	}
	p.must(nil, "Emulation.setScriptExecutionDisabled", map[string]any{"value": !scripts})
	p.must(nil, "Page.navigate", map[string]any{"url": "file://" + file})
	p.await("Page.loadEventFired")
	return p
}

// must sends a command that has to succeed and decodes its answer.
func (p *page) must(into any, method string, params any) {
	p.t.Helper()
	raw, err := p.browser.call(p.session, method, params)
	if err != nil {
		p.t.Fatal(err)
	}
	if into == nil {
		return
	}
	if err := json.Unmarshal(raw, into); err != nil {
		p.t.Fatalf("%s: %v", method, err)
	}
}

// await takes events up to the first of that name.
func (p *page) await(method string) {
	p.t.Helper()
	for {
		select {
		case m := <-p.events:
			p.judge(m)
			if m.Method == method {
				return
			}
		case <-p.browser.ended:
			p.t.Fatalf("the browser ended before %s", method)
		}
	}
}

// judge keeps what a page must not do.
func (p *page) judge(m message) {
	switch m.Method {
	case "Runtime.consoleAPICalled", "Runtime.exceptionThrown", "Log.entryAdded", "Page.javascriptDialogOpening":
		p.problems = append(p.problems, m.Method+" "+string(m.Params))
	case "Network.requestWillBeSent":
		var req struct{ Type string }
		if json.Unmarshal(m.Params, &req) != nil || req.Type != "Document" {
			p.problems = append(p.problems, m.Method+" "+string(m.Params))
		}
	}
}

// quiet checks that the page had no error, broke no rule of its policy and loaded
// nothing but itself.
func (p *page) quiet() {
	p.t.Helper()
	p.drain()
	for _, s := range p.problems {
		p.t.Errorf("the page: %.500s", s)
	}
}

// drain judges the events of all that happened so far: they come before the answer to
// a command that is given now.
func (p *page) drain() {
	p.t.Helper()
	p.must(nil, "Runtime.evaluate", map[string]any{"expression": "0"})
	for {
		select {
		case m := <-p.events:
			p.judge(m)
		default:
			return
		}
	}
}

// eval evaluates an expression in the page and decodes its value.
func (p *page) eval(into any, expression string) {
	p.t.Helper()
	var answer struct {
		Result           struct{ Value json.RawMessage }
		ExceptionDetails json.RawMessage
	}
	p.must(&answer, "Runtime.evaluate", map[string]any{"expression": expression, "returnByValue": true, "awaitPromise": true})
	if answer.ExceptionDetails != nil {
		p.t.Fatalf("%s: %.500s", expression, answer.ExceptionDetails)
	}
	if into == nil {
		return
	}
	if err := json.Unmarshal(answer.Result.Value, into); err != nil {
		p.t.Fatalf("%s: %v", expression, err)
	}
}

// click clicks with the mouse into the middle of an element.
func (p *page) click(selector string) {
	p.t.Helper()
	var at struct{ X, Y float64 }
	p.eval(&at, `(() => { const e = document.querySelector(`+strconv.Quote(selector)+`); e.scrollIntoView({block: "center", behavior: "instant"});
		const r = e.getBoundingClientRect(); return {x: r.x + r.width / 2, y: r.y + r.height / 2}; })()`)
	for _, event := range []string{"mousePressed", "mouseReleased"} {
		p.must(nil, "Input.dispatchMouseEvent", map[string]any{"type": event, "x": at.X, "y": at.Y, "button": "left", "clickCount": 1})
	}
}

// pdf prints the page.
func (p *page) pdf() []byte {
	p.t.Helper()
	var out struct{ Data []byte } // base64 in JSON, which is how Go decodes bytes
	p.must(&out, "Page.printToPDF", map[string]any{"paperWidth": 8.27, "paperHeight": 11.69})
	return out.Data
}
