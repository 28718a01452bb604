package cluster

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"bulwark/kube"
)

// TestShare: objects of one kind, however many, leave room for the others.
func TestShare(t *testing.T) {
	f := filled(t)
	for i := range 500 {
		f.add("configmaps", object{"metadata": object{"name": fmt.Sprint("m", i), "namespace": "a"}})
	}
	f.pageSize = 100
	o := f.options(t)
	o.atMost = amount{100, maxValues, maxLines}
	target := open(t, o)
	s := kube.Of(target)
	if s.Find("a/Deployment/web") == nil || s.Len() > 100 || !strings.Contains(s.Cluster.Unseen["configmaps"], "limit exceeded") {
		t.Errorf("%d objects, unseen %v", s.Len(), s.Cluster.Unseen)
	}
	if len(target.Notes) != 1 || !strings.Contains(target.Notes[0].Text, "could not list configmaps: there are more than the ") {
		t.Errorf("%v", target.Notes)
	}
}

// TestNoEnd: a list whose pages bring new objects for ever leaves the others their time.
func TestNoEnd(t *testing.T) {
	f := filled(t)
	n := 0
	f.answer = on("/api/v1/configmaps", func(w http.ResponseWriter, _ *http.Request) {
		n++
		time.Sleep(time.Millisecond) // or a fast machine comes to the most pages before the time is up
		fmt.Fprintf(w, `{"metadata":{"continue":"%[1]d"},"items":[{"metadata":{"name":"m%[1]d","namespace":"a"}}]}`, n)
	})
	ctx, cancel := context.WithTimeout(t.Context(), 6*time.Second)
	defer cancel()
	target, err := (&Source{f.options(t)}).Open(ctx, "")
	if err != nil {
		t.Fatal(err)
	}
	s := kube.Of(target)
	if s.Find("a/Deployment/web") == nil || !strings.Contains(s.Cluster.Unseen["configmaps"], "does not end in a third of the time") {
		t.Errorf("unseen %v", s.Cluster.Unseen)
	}
}
