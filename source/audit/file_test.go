package audit

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"bulwark"
)

var all = bulwark.Interest{bulwark.KindK8sAudit: {{}}}

func event(id int) string {
	return fmt.Sprintf(`{"kind":"Event","apiVersion":"audit.k8s.io/v1","level":"Request","auditID":"%d","stage":"ResponseComplete","verb":"get","stageTimestamp":"2026-11-22T12:00:00.%06dZ","requestReceivedTimestamp":"2026-11-22T11:00:00.000000Z"}`, id, id%1_000_000)
}

func id(t *testing.T, e bulwark.Event) string {
	t.Helper()
	var v struct{ AuditID string }
	if err := json.Unmarshal(e.Doc, &v); err != nil {
		t.Errorf("%s: %v", e.Doc, err)
	}
	return v.AuditID
}

// running is a sensor at work.
type running struct {
	t     *testing.T
	ids   chan string
	notes chan bulwark.Note
	stop  func() error
}

func start(t *testing.T, s bulwark.Sensor, note *func(bulwark.Note)) *running {
	t.Helper()
	r := &running{t: t, ids: make(chan string, 100_000), notes: make(chan bulwark.Note, 1000)}
	*note = func(n bulwark.Note) { r.notes <- n }
	ctx, cancel := context.WithCancel(t.Context())
	ready, done := make(chan struct{}), make(chan error, 1)
	go func() {
		done <- s.Run(ctx, all, func() { close(ready) }, func(list []bulwark.Event) error {
			for _, e := range list {
				if e.Source != bulwark.SourceK8sAudit || e.Kind != bulwark.KindK8sAudit || e.Time == 0 {
					t.Errorf("%+v", e)
				}
				r.ids <- id(t, e)
			}
			return nil
		})
	}()
	select {
	case <-ready:
	case err := <-done:
		t.Fatal(err)
	}
	r.stop = func() error {
		cancel()
		select {
		case err := <-done:
			done <- err
			return err
		case <-time.After(20 * time.Second):
			return errors.New("it does not end")
		}
	}
	t.Cleanup(func() {
		if err := r.stop(); err != nil {
			t.Error(err)
		}
	})
	return r
}

func (r *running) want(ids ...int) {
	r.t.Helper()
	for _, n := range ids {
		select {
		case got := <-r.ids:
			if got != strconv.Itoa(n) {
				r.t.Fatalf("event %s, want %d", got, n)
			}
		case <-time.After(20 * time.Second):
			r.t.Fatalf("event %d does not come", n)
		}
	}
}

func (r *running) note(part string) {
	r.t.Helper()
	select {
	case n := <-r.notes:
		if !strings.Contains(n.Text, part) {
			r.t.Errorf("%q, want %q", n.Text, part)
		}
	case <-time.After(20 * time.Second):
		r.t.Errorf("no note of %q", part)
	}
}

func write(t *testing.T, path, text string) {
	t.Helper()
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_APPEND, 0o600)
	if err == nil {
		_, err = f.WriteString(text)
		f.Close()
	}
	if err != nil {
		t.Fatal(err)
	}
}

func follow(t *testing.T, s *File) *running {
	t.Helper()
	s.Every = time.Millisecond
	return start(t, s, &s.Note)
}

// TestBetween has a log come and go within one look, as a server that writes much has it.
func TestBetween(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "audit.log")
	past := func(ms int) string { return filepath.Join(dir, fmt.Sprintf("audit-2026-11-23T14-28-01.%03d.log", ms)) }
	write(t, past(1), event(100)+"\n") // from before
	write(t, filepath.Join(dir, "audit-old.log"), event(101)+"\n")
	write(t, path, event(102)+"\n")
	s := &File{Path: path, Every: time.Hour}
	list := &[]string{}
	f := &following{File: s, emit: func(events []bulwark.Event) error {
		for _, e := range events {
			*list = append(*list, id(t, e))
		}
		return nil
	}}
	s.Now = time.Now
	defer f.close()
	if err := f.start(); err != nil {
		t.Fatal(err)
	}
	want := func(ids ...string) {
		t.Helper()
		if err := f.look(t.Context()); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(ids, *list); diff != "" {
			t.Errorf("(-want +got):\n%s", diff)
		}
		*list = nil
	}
	write(t, path, event(1)+"\n")
	want("1")
	write(t, path, event(2)+"\n")
	for i := range 3 {
		if err := os.Rename(path, past(10+i)); err != nil {
			t.Fatal(err)
		}
		write(t, path, event(3+i)+"\n")
	}
	want("2", "3", "4", "5")
	if err := os.Rename(path, past(20)); err != nil {
		t.Fatal(err)
	}
	write(t, path, event(6)+"\n")
	want("6")
}

func TestFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "audit.log")
	write(t, path, event(1)+"\n"+event(2)[:50])
	s := &File{Path: path}
	r := follow(t, s)
	write(t, path, event(2)[50:]+"\n"+event(3)+"\n\n  \r\n"+event(4)[:9]) // 2 began before
	r.want(3)
	write(t, path, event(4)[9:]+"\r\nnonsense\n"+event(5)+"\n")
	r.want(4, 5)
	r.note("no events")
	list := `{"kind":"EventList","apiVersion":"audit.k8s.io/v1","items":[` + event(6) + `,{"auditID":"7"},null,5]}`
	write(t, path, list+"\n"+strings.Repeat("x", 3*maxEvent/2)+"\n"+event(8)+"\n")
	r.want(6, 7, 8)
	r.note("more than")
	if err := r.stop(); err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff([]bulwark.Count{{Class: "k8s_audit file", Seen: 10, Sent: 6, Dropped: 4}}, s.Counts()); d != "" {
		t.Error(d)
	}
}

// TestForms: events come as API servers write them, in lists, and as they were taken from lists. What is no event is counted.
func TestForms(t *testing.T) {
	for _, tt := range []struct {
		line string
		ids  string
		bad  int
	}{
		{event(1), "1", 0},
		{"[" + event(1) + "," + event(2) + "]", "1 2", 0},
		{`[` + event(1) + `,5,null,[` + event(2) + `],{"kind":"EventList","apiVersion":"audit.k8s.io/v1","items":[` + event(3) + `]}]`, "1 3", 3},
		{`{"kind":"Event","auditID":"4"}`, "4", 0},
		{`{"auditID":"5","stage":"Panic"}`, "5", 0},
		{`{"kind":"EventList","items":[{"auditID":"6"},{"verb":"get"}]}`, "6", 1},
		{`{"kind":"Event","apiVersion":"v1","auditID":"7"}`, "", 1},
		{`{"kind":"Event","verb":"get"}`, "", 1},
		{`{"kind":"EventList","apiVersion":"v1","items":[{"auditID":"8"}]}`, "", 1},
		{`{"kind":"Pod","auditID":"9"}`, "", 1},
		{`{"kind":"EventList","apiVersion":"audit.k8s.io/v1"}`, "", 0},
		{`[]`, "", 0}, {`[` + event(1), "", 1}, {`null`, "", 1}, {`"auditID"`, "", 1}, {``, "", 1},
	} {
		events, bad := parse([]byte(tt.line), time.Unix(1, 0))
		var ids []string
		for _, e := range events {
			ids = append(ids, id(t, e))
		}
		if got := strings.Join(ids, " "); got != tt.ids || bad != tt.bad {
			t.Errorf("%s: %q and %d bad, want %q and %d", tt.line, got, bad, tt.ids, tt.bad)
		}
	}
}

// TestRead reads logs that are at hand, in the forms that people have them in.
func TestRead(t *testing.T) {
	long := strings.Replace(event(9), `"verb":"get"`, `"verb":"`+strings.Repeat("x", 100_000)+`"`, 1)
	lines := func(text string) string { // as programs for people write it
		var b bytes.Buffer
		if err := json.Indent(&b, []byte(text), "", "  "); err != nil {
			t.Fatal(err)
		}
		return b.String()
	}
	for _, tt := range []struct {
		name, log, ids string
		bad            int
	}{
		{"lines", event(1) + "\n\n" + event(2) + "\r\n" + event(3), "1 2 3", 0},
		{"bad lines", event(1)[9:] + "\n" + event(2) + "\nnonsense\n{}\n" + event(3) + "\n" + event(4)[:30], "2 3", 4},
		{"a long line", long + "\n" + event(1) + "\n", "9 1", 0},
		{"a list", "[" + event(1) + ",\n" + event(2) + "]\n", "1 2", 0},
		{"a list in lines", "\n" + lines("["+event(1)+","+event(2)+",{}]"), "1 2", 1},
		{"documents in lines", lines(event(1)) + "\n" + lines(event(2)) + "\n" + event(3), "1 2 3", 0},
		{"a list that ends early", lines(event(1)) + "\n[\n" + event(2) + "\n", "1 2", 1},
		{"an event list", `{"kind":"EventList","apiVersion":"audit.k8s.io/v1","items":[` + "\n" + event(1) + "]}", "1", 0},
		{"nothing", "", "", 0},
	} {
		var ids []string
		bad, err := Read(strings.NewReader(tt.log), func(e *bulwark.Event) error {
			ids = append(ids, id(t, *e))
			return nil
		})
		if got := strings.Join(ids, " "); got != tt.ids || bad != tt.bad || err != nil {
			t.Errorf("%s: %q and %d bad, %v; want %q and %d", tt.name, got, bad, err, tt.ids, tt.bad)
		}
	}
	for head, want := range map[string]bool{" \n{": true, "[": true, "bulwark trace\n": false, "": false} {
		if IsLog([]byte(head)) != want {
			t.Errorf("%q: want %v", head, want)
		}
	}
}

func TestBegin(t *testing.T) {
	path := filepath.Join(t.TempDir(), "audit.log")
	write(t, path, event(1)+"\n"+event(2)+"\n")
	r := follow(t, &File{Path: path, Begin: true})
	r.want(1, 2)
}

// TestRotation renames the file, as API servers do, and truncates it, as logrotate may.
func TestRotation(t *testing.T) {
	path := filepath.Join(t.TempDir(), "audit.log")
	s := &File{Path: path}
	r := follow(t, s)
	r.note("waited for")
	write(t, path, event(0)+"\n")
	r.note("again")
	r.want(0)
	for n := 1; n < 40; n += 4 {
		write(t, path, event(n)+"\n"+event(n+1)) // the last line before rotation has no end
		if err := os.Rename(path, path+"."+strconv.Itoa(n)); err != nil {
			t.Fatal(err)
		}
		write(t, path, event(n+2)+"\n")
		r.want(n, n+1, n+2)
		if err := os.Truncate(path, 0); err != nil {
			t.Fatal(err)
		}
		write(t, path, event(n+3)+"\n") // as long as before, or shorter
		r.want(n + 3)
	}
	long := strings.Repeat(event(50)+"\n", 5)
	if err := os.WriteFile(path, []byte(long), 0o600); err != nil { // truncated and longer than before, in one look or two
		t.Fatal(err)
	}
	r.want(50, 50, 50, 50, 50)
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	write(t, path, event(60)+"\n")
	r.want(60)
}

func TestRefusedFile(t *testing.T) {
	s := &File{Path: t.TempDir()}
	if a := s.Abilities(); a[0].Why == "" {
		t.Error("a folder is a log")
	}
	err := s.Run(t.Context(), all, func() {}, nil)
	if !errors.Is(err, bulwark.ErrUnsupported) {
		t.Error(err)
	}
	path := filepath.Join(t.TempDir(), "log")
	write(t, path, event(1)+"\n")
	s = &File{Path: path, Begin: true, Every: time.Millisecond}
	if a := s.Abilities(); a[0].Why != "" {
		t.Error(a)
	}
	full := errors.New("full")
	if err := s.Run(t.Context(), all, func() {}, func([]bulwark.Event) error { return full }); !errors.Is(err, full) {
		t.Error(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	if err := s.Run(ctx, bulwark.Interest{}, cancel, func([]bulwark.Event) error { t.Error("nobody asked"); return nil }); err != nil {
		t.Error(err)
	}
}

// TestLines cuts texts in pieces by chance: the lines are those of the whole text.
func TestLines(t *testing.T) {
	rnd := rand.New(rand.NewPCG(1, 2))
	for range 2000 {
		text := make([]byte, rnd.IntN(60))
		for i := range text {
			text[i] = "ab\n"[rnd.IntN(3)]
		}
		checkLines(t, text, func(n int) int { return rnd.IntN(n + 1) })
	}
}

func checkLines(t *testing.T, text []byte, piece func(int) int) {
	t.Helper()
	var l lines
	var got []string
	for rest := text; len(rest) > 0; {
		n := max(1, min(piece(len(rest)), len(rest)))
		whole, long := l.add(rest[:n])
		if long != 0 {
			t.Fatal("too long")
		}
		for _, w := range whole {
			got = append(got, string(w))
		}
		rest = rest[n:]
	}
	got = append(got, string(l.part))
	if want := strings.Split(string(text), "\n"); !cmp.Equal(want, got) {
		t.Fatalf("%q: %q", text, got)
	}
}

func FuzzLines(f *testing.F) {
	f.Add([]byte("a\nb\n"), uint8(1))
	f.Fuzz(func(t *testing.T, text []byte, step uint8) {
		checkLines(t, text, func(int) int { return int(step) })
	})
}

func FuzzParse(f *testing.F) {
	f.Add([]byte(event(1)))
	f.Add([]byte(`{"kind":"EventList","apiVersion":"audit.k8s.io/v1","items":[{"stageTimestamp":"0000-01-01T00:00:00Z"},[],null,{}]}`))
	f.Add([]byte(`{"kind":5}`))
	f.Add([]byte(" [" + event(1) + `,[],{"auditID":"2"},{"items":[{"auditID":"3"},{}],"kind":"EventList"}]`))
	f.Fuzz(func(t *testing.T, data []byte) {
		now := time.Unix(1, 0)
		events, bad := parse(data, now)
		if list := bytes.HasPrefix(bytes.TrimSpace(data), []byte("[")); len(events) == 0 && bad == 0 && !list && !bytes.Contains(data, []byte("EventList")) {
			t.Error("neither events nor errors")
		}
		for _, e := range events {
			if !json.Valid(e.Doc) || bytes.TrimSpace(e.Doc)[0] != '{' || len(e.Doc) > maxEvent || e.Time <= 0 {
				t.Errorf("%+v", e)
			}
		}
	})
}
