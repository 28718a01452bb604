package cluster

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"bulwark/kube"
)

// versioned is an object at a version.
func versioned(o object, v int) object {
	o["metadata"].(object)["resourceVersion"] = fmt.Sprint(v)
	return o
}

func event(kind string, o object) string {
	b, _ := json.Marshal(object{"type": kind, "object": o})
	return string(b) + "\n"
}

// TestWatch: a watch that breaks goes on where it was; one whose place is gone lists anew, and
// tells what changed and went meanwhile.
func TestWatch(t *testing.T) {
	f := newFake(t)
	a, b, c := named("x", "a", template("a:1")), named("x", "b", template("b:1")), named("x", "c", template("c:1"))
	f.add("deployments.apps", versioned(a, 1), versioned(b, 2))
	a["metadata"].(object)["uid"], b["metadata"].(object)["uid"], c["metadata"].(object)["uid"] = "ua", "ub", "uc"
	var from []string
	f.answer = func(w http.ResponseWriter, r *http.Request) bool {
		if r.URL.Query().Get("watch") == "" {
			return false
		}
		f.mu.Lock()
		defer f.mu.Unlock()
		from = append(from, r.URL.Query().Get("resourceVersion"))
		flush := func(text string) {
			fmt.Fprint(w, text)
			w.(http.Flusher).Flush()
		}
		switch len(from) {
		case 1: // two changes and a bookmark, then the connection breaks within an event
			flush(event("ADDED", versioned(c, 101)) + event("BOOKMARK", object{"metadata": object{"resourceVersion": "110"}}) + `{"type":"MODI`)
			panic(http.ErrAbortHandler)
		case 2: // the place is not known any more; meanwhile b went and a changed
			f.objects["deployments.apps"] = []object{versioned(named("x", "a", template("a:2"), object{}), 120), versioned(c, 101)}
			f.objects["deployments.apps"][0]["metadata"].(object)["uid"] = "ua"
			flush(event("ERROR", object{"code": 410, "message": "too old"}))
		case 3:
			flush(event("DELETED", versioned(c, 121)) + event("DELETED", versioned(named("x", "unknown"), 122)))
		default:
			return f.refuseAndEnd(w)
		}
		return true
	}
	var got []string
	done := errors.New("done")
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	failures := 0
	err := (&Source{f.options(t)}).Watch(ctx, "", []string{"deployments.apps"}, func(ch Change) error {
		text := ch.Object.Name + " " + ch.Object.Root.At("spec", "template", "spec", "containers", 0, "image").Text()
		if ch.Gone {
			text = ch.Object.Name + " gone"
		}
		got = append(got, text)
		if strings.Contains(string(ch.Object.Root.JSON()), planted) {
			t.Errorf("%s holds a secret", text)
		}
		return nil
	}, func(err error) error {
		if failures++; strings.Contains(err.Error(), "503") {
			return done
		}
		return nil
	})
	if !errors.Is(err, done) || failures != 2 {
		t.Errorf("%v after %d failures", err, failures)
	}
	if diff := cmp.Diff([]string{"a a:1", "b b:1", "c c:1", "a a:2", "b gone", "c gone"}, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]string{"100", "110", "100", "122"}, from); diff != "" {
		t.Errorf("watched from (-want +got):\n%s", diff)
	}
}

func (f *fake) refuseAndEnd(w http.ResponseWriter) bool {
	refuse(w, http.StatusServiceUnavailable, "bye")
	return true
}

func TestWatchStops(t *testing.T) {
	f := filled(t)
	ctx, cancel := context.WithCancel(t.Context())
	f.answer = func(w http.ResponseWriter, r *http.Request) bool {
		if r.URL.Query().Get("watch") == "" {
			return false
		}
		w.(http.Flusher).Flush()
		<-r.Context().Done()
		return true
	}
	n := 0
	err := (&Source{f.options(t)}).Watch(ctx, "", nil, func(c Change) error {
		if v := kube.ValuesOf(c.Object); v != nil && v.Read {
			t.Error("values of Secrets are watched")
		}
		if n++; n == 17 { // all that there is
			cancel()
		}
		return nil
	}, func(err error) error { return err })
	if !errors.Is(err, context.Canceled) || n < 17 {
		t.Errorf("%v after %d", err, n)
	}
}
