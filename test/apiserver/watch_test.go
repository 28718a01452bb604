//go:build linux

package apiserver

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"bulwark/kube"
	"bulwark/source/cluster"
	"bulwark/test/apiserver/harness"
)

func configMap(name, value string) object {
	return object{"apiVersion": "v1", "kind": "ConfigMap", "metadata": object{"name": name}, "data": object{"k": value}}
}

// TestPagesAndWatch: a real server's pages make up the whole list, and its changes are told.
func TestPagesAndWatch(t *testing.T) {
	s := harness.Start(t)
	const at = "/api/v1/namespaces/default/configmaps"
	for i := range 60 {
		s.Must(t, http.MethodPost, at, configMap(fmt.Sprintf("c%02d", i), "x"))
	}
	source := &cluster.Source{Options: cluster.Options{Kubeconfig: s.Kubeconfig, Page: 7, Namespaces: []string{"default"}, Only: []string{"configmaps"}}}
	target, err := source.Open(t.Context(), "")
	if err != nil {
		t.Fatal(err)
	}
	if n := kube.Of(target).Len(); n < 60 || len(target.Notes) > 0 {
		t.Errorf("%d objects by pages of 7, notes %v", n, target.Notes)
	}
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	first, done := 0, errors.New("done")
	var told []string
	err = source.Watch(ctx, "", []string{"configmaps"}, func(c cluster.Change) error {
		o := c.Object
		if o.Name == "c59" && first == 0 {
			first++
			s.Must(t, http.MethodPost, at, configMap("new", "1"))
			s.Must(t, http.MethodPut, at+"/new", configMap("new", "2"))
			s.Must(t, http.MethodDelete, at+"/new", nil)
		}
		if o.Name != "new" {
			return nil
		}
		told = append(told, fmt.Sprint(o.Root.Get("data", "k").Text(), c.Gone))
		if c.Gone {
			return done
		}
		return nil
	}, func(err error) error { return err })
	if !errors.Is(err, done) {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"1false", "2false", "2true"}, told); diff != "" {
		t.Errorf("changes (-want +got):\n%s", diff)
	}
}
