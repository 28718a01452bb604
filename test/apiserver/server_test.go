//go:build linux

package apiserver

import (
	"encoding/json"
	"net/http"
	"testing"

	"bulwark/test/apiserver/harness"
)

func TestServer(t *testing.T) {
	s := harness.Start(t)
	var v struct{ GitVersion string }
	if err := json.Unmarshal(s.Must(t, http.MethodGet, "/version", nil), &v); err != nil || v.GitVersion == "" {
		t.Fatalf("%+v %v", v, err)
	}
	token := s.ServiceAccount(t, "default", "scanner")
	code, _, err := s.Call(t.Context(), token, http.MethodGet, "/api/v1/pods", nil)
	if err != nil || code != http.StatusForbidden {
		t.Errorf("a new service account lists pods: %d %v", code, err)
	}
}
