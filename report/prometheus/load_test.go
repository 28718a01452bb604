package prometheus_test

import (
	"net/http/httptest"
	"strings"
	"testing"

	"bulwark"
	"bulwark/report/prometheus"
)

// TestLoads: figures stand by container, and what is not known is left out.
func TestLoads(t *testing.T) {
	one := prometheus.Load{Container: bulwark.ContainerRef{ID: "0123456789abcdef", Name: "web\"1\n", Image: "nginx:1"}}
	for i := range one.Figures {
		one.Figures[i] = -1
	}
	one.Figures[0], one.Figures[2] = 0.25, 1<<20
	m := prometheus.New(prometheus.Options{Loads: func() []prometheus.Load { return []prometheus.Load{one} }})
	r := httptest.NewRecorder()
	m.ServeHTTP(r, httptest.NewRequest("GET", "/metrics", nil))
	text := r.Body.String()
	for _, line := range []string{
		"# TYPE bulwark_container_cpu_cores gauge\n", `bulwark_container_cpu_cores{id="0123456789ab",name="web\"1`, "} 0.25\n", "bulwark_container_memory_bytes{", "} 1.048576e+06\n",
	} {
		if !strings.Contains(text, line) {
			t.Errorf("%q is not in\n%s", line, text)
		}
	}
	if strings.Contains(text, "received") || strings.Contains(text, "waiting") {
		t.Errorf("what is not known is told:\n%s", text)
	}
}
