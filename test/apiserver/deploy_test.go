//go:build linux

package apiserver

import (
	"bytes"
	"net/http"
	"os"
	"path/filepath"
	"testing"

	"bulwark/test/apiserver/harness"
)

// TestWatchDaemonSet has a real server take what is deployed to watch nodes, with no field that it does not know.
func TestWatchDaemonSet(t *testing.T) {
	s := harness.Start(t)
	data, err := os.ReadFile(filepath.Join("..", "..", "deploy", "watch-daemonset.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	paths := []string{"/api/v1/namespaces", "/api/v1/namespaces/bulwark-watch/serviceaccounts", "/api/v1/namespaces/bulwark-watch/configmaps",
		"/apis/networking.k8s.io/v1/namespaces/bulwark-watch/networkpolicies", "/apis/apps/v1/namespaces/bulwark-watch/daemonsets"}
	list := bytes.Split(data, []byte("\n---\n"))
	if len(list) != len(paths) {
		t.Fatalf("%d documents, want %d", len(list), len(paths))
	}
	for i, one := range list {
		s.Must(t, http.MethodPost, paths[i]+"?fieldValidation=Strict", one)
	}
}
