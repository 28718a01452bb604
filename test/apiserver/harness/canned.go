//go:build linux

package harness

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"iter"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// Canned serves given objects as an API server lists them, page by page, for measurements of
// clusters that no real server could be filled with in a test's time. It gives the path of a
// kubeconfig.
func Canned(t testing.TB, objects iter.Seq[[]byte]) (kubeconfig string) {
	t.Helper()
	c := &canned{byKind: map[string][][]byte{}}
	for data := range objects {
		var head struct{ APIVersion, Kind string }
		if err := json.Unmarshal(data, &head); err != nil {
			t.Fatal(err)
		}
		key := head.APIVersion + " " + head.Kind
		c.byKind[key] = append(c.byKind[key], data)
	}
	srv := httptest.NewTLSServer(c)
	t.Cleanup(srv.Close)
	dir := t.TempDir()
	ca, file := filepath.Join(dir, "ca.crt"), filepath.Join(dir, "kubeconfig")
	text := fmt.Sprintf("apiVersion: v1\nkind: Config\ncurrent-context: canned\nclusters: [{name: c, cluster: {server: %q, certificate-authority: %q}}]\n"+
		"users: [{name: u, user: {token: x}}]\ncontexts: [{name: canned, context: {cluster: c, user: u}}]\n", srv.URL, ca)
	for name, data := range map[string][]byte{ca: pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: srv.Certificate().Raw}), file: []byte(text)} {
		if err := os.WriteFile(name, data, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return file
}

type canned struct{ byKind map[string][][]byte }

func (c *canned) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	switch {
	case r.URL.Path == "/version":
		fmt.Fprint(w, `{"gitVersion":"v1.34.1"}`)
	case r.URL.Path == "/api" || r.URL.Path == "/apis":
		c.discovery(w, r.URL.Path == "/api")
	default:
		c.list(w, r)
	}
}

func plural(kind string) string {
	switch k := strings.ToLower(kind); {
	case strings.HasSuffix(k, "s"):
		return k + "es"
	case strings.HasSuffix(k, "y"):
		return strings.TrimSuffix(k, "y") + "ies"
	default:
		return k + "s"
	}
}

func (c *canned) discovery(w http.ResponseWriter, core bool) {
	var items []any
	var keys []string
	for key := range c.byKind {
		keys = append(keys, key)
	}
	slices.Sort(keys)
	for _, key := range keys {
		version, kind, _ := strings.Cut(key, " ")
		group, v, ok := strings.Cut(version, "/")
		if !ok {
			group, v = "", version
		}
		if (group == "") != core {
			continue
		}
		items = append(items, map[string]any{"metadata": map[string]any{"name": group}, "versions": []any{map[string]any{"version": v, "resources": []any{
			map[string]any{"resource": plural(kind), "responseKind": map[string]any{"kind": kind}, "scope": "Namespaced", "verbs": []string{"list"}}}}}})
	}
	json.NewEncoder(w).Encode(map[string]any{"kind": "APIGroupDiscoveryList", "items": items})
}

func (c *canned) list(w http.ResponseWriter, r *http.Request) {
	for key, objects := range c.byKind {
		version, kind, _ := strings.Cut(key, " ")
		at := "/apis/" + version + "/" + plural(kind)
		if !strings.Contains(version, "/") {
			at = "/api/" + version + "/" + plural(kind)
		}
		if r.URL.Path == at {
			page(w, r, objects)
			return
		}
	}
	http.NotFound(w, r)
}

func page(w http.ResponseWriter, r *http.Request, objects [][]byte) {
	from, _ := strconv.Atoi(r.URL.Query().Get("continue")) // the first page has none
	size, _ := strconv.Atoi(r.URL.Query().Get("limit"))
	to, next := len(objects), ""
	if size > 0 && from+size < to {
		to = from + size
		next = strconv.Itoa(to)
	}
	var out interface{ Write([]byte) (int, error) } = w
	if strings.Contains(r.Header.Get("Accept-Encoding"), "gzip") && to-from > 20 {
		w.Header().Set("Content-Encoding", "gzip")
		z, _ := gzip.NewWriterLevel(w, gzip.BestSpeed)
		defer z.Close()
		out = z
	}
	fmt.Fprintf(out, `{"kind":"List","metadata":{"resourceVersion":"1","continue":%q},"items":[`, next)
	out.Write(bytes.Join(objects[from:to], []byte(",")))
	fmt.Fprint(out, "]}")
}
