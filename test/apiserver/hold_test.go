//go:build linux

package apiserver

import (
	"os"
	"os/signal"
	"testing"

	"bulwark/test/apiserver/harness"
)

// TestHold keeps a server running for a person: BULWARK_HOLD=FILE writes its kubeconfig there,
// and an interrupt ends it.
func TestHold(t *testing.T) {
	file := os.Getenv("BULWARK_HOLD")
	if file == "" {
		t.Skip("only for people: BULWARK_HOLD=FILE keeps a server running")
	}
	s := harness.Start(t)
	b, err := os.ReadFile(s.Kubeconfig)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, b, 0o600); err != nil {
		t.Fatal(err)
	}
	stop := make(chan os.Signal, 1)
	signal.Notify(stop, os.Interrupt)
	<-stop
}
