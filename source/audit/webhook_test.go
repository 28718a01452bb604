package audit

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	crand "crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"io"
	"math/big"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"bulwark"
)

func serve(t *testing.T, s *Webhook) (*running, string) {
	t.Helper()
	if s.Listen == "" {
		s.Listen = "127.0.0.1:0"
	}
	var address net.Addr
	s.Ready = func(a net.Addr) { address = a }
	r := start(t, s, &s.Note)
	return r, "://" + address.String() + "/k8s-audit"
}

func post(t *testing.T, c *http.Client, url, token, body string) (int, http.Header) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, url, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	if token != "" {
		req.Header.Set("Authorization", "Bearer "+token)
	}
	resp, err := c.Do(req)
	if err != nil {
		t.Errorf("POST %s: %v", url, err)
		return 0, nil
	}
	defer resp.Body.Close()
	io.Copy(io.Discard, resp.Body)
	return resp.StatusCode, resp.Header
}

func list(events ...string) string {
	return `{"kind":"EventList","apiVersion":"audit.k8s.io/v1","metadata":{},"items":[` + strings.Join(events, ",") + `]}`
}

func TestWebhook(t *testing.T) {
	s := &Webhook{MaxBody: 4000, Token: "hunter2"}
	r, at := serve(t, s)
	c := http.DefaultClient
	for _, tt := range []struct {
		path, token, body string
		want              int
	}{
		{"", "hunter2", list(event(1), event(2)), 200},
		{"", "hunter2", event(3), 200},
		{"", "hunter2", list(), 200},
		{"", "hunter2", list("7", event(4)), 200},
		{"", "hunter2", "[", 400},
		{"", "hunter2", `{"kind":"Pod","apiVersion":"v1"}`, 400},
		{"", "hunter2", list(strings.Repeat(event(9)+",", 20) + event(9)), 413},
		{"", "", event(9), 401},
		{"", "hunter", event(9), 401},
		{"/else", "hunter2", event(9), 404},
	} {
		if got, _ := post(t, c, "http"+at+tt.path, tt.token, tt.body); got != tt.want {
			t.Errorf("%.40s: %d, want %d", tt.body, got, tt.want)
		}
	}
	if resp, err := http.Get("http" + at); err != nil || resp.StatusCode != http.StatusMethodNotAllowed {
		t.Error(resp, err)
	}
	r.want(1, 2, 3, 4)
	if c := s.Counts()[0]; c.Seen != 8 || c.Sent != 4 || c.Dropped != 4 {
		t.Errorf("%+v", c)
	}
	for range 3 {
		if n := <-r.notes; strings.Contains(n.Text, "hunter") || !n.Incomplete {
			t.Errorf("%+v", n)
		}
	}
}

// TestBackpressure has an engine that does not take events: clients are told to come again, and ending waits for the one
// that is under way alone.
func TestBackpressure(t *testing.T) {
	var address net.Addr
	s := &Webhook{Listen: "127.0.0.1:0", Wait: time.Millisecond, Ready: func(a net.Addr) { address = a }}
	ctx, cancel := context.WithCancel(t.Context())
	begun, let, done := make(chan struct{}, 100), make(chan struct{}), make(chan error, 1)
	ready := make(chan struct{})
	var one sync.Mutex
	go func() {
		done <- s.Run(ctx, all, func() { close(ready) }, func([]bulwark.Event) error {
			if !one.TryLock() {
				t.Error("two emits at once")
			}
			defer one.Unlock()
			begun <- struct{}{}
			<-let
			return nil
		})
	}()
	<-ready
	url := "http://" + address.String() + "/k8s-audit"
	first := make(chan int, 1)
	go func() {
		code, _ := post(t, http.DefaultClient, url, "", event(1))
		first <- code
	}()
	<-begun
	for range 20 {
		if code, h := post(t, http.DefaultClient, url, "", event(2)); code != http.StatusTooManyRequests || h.Get("Retry-After") == "" {
			t.Errorf("%d %v", code, h)
		}
	}
	let <- struct{}{}
	if code := <-first; code != 200 {
		t.Error(code)
	}
	go http.Post(url, "", strings.NewReader(event(3))) // it is cut off
	<-begun
	cancel()
	select {
	case <-done:
		t.Error("it ended while events were emitted")
	case <-time.After(10 * time.Millisecond):
	}
	let <- struct{}{}
	if err := <-done; err != nil {
		t.Error(err)
	}
}

func TestEmitFails(t *testing.T) {
	var address net.Addr
	s := &Webhook{Listen: "127.0.0.1:0", Ready: func(a net.Addr) { address = a }}
	full := errors.New("full")
	done, ready := make(chan error, 1), make(chan struct{})
	go func() {
		done <- s.Run(t.Context(), all, func() { close(ready) }, func([]bulwark.Event) error { return full })
	}()
	<-ready
	http.Post("http://"+address.String()+"/k8s-audit", "", strings.NewReader(event(1)))
	if err := <-done; !errors.Is(err, full) {
		t.Error(err)
	}
}

// TestSlowClients holds that those who send nothing, or a byte now and then, neither hold others up nor the end.
func TestSlowClients(t *testing.T) {
	s := &Webhook{Slow: 50 * time.Millisecond}
	r, at := serve(t, s)
	host := strings.TrimSuffix(strings.TrimPrefix(at, "://"), "/k8s-audit")
	for i := range maxConnections + 10 {
		c, err := net.Dial("tcp", host)
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		if i%2 == 0 {
			io.WriteString(c, "POST /k8s-audit HTTP/1.1\r\nHost: x\r\nContent-Length: 100000\r\n\r\n{")
		}
	}
	sent := false
	for range 100 { // until the slow ones are gone
		if code, _ := post(t, http.DefaultClient, "http"+at, "", event(1)); code == 200 {
			sent = true
			break
		}
		time.Sleep(10 * time.Millisecond)
	}
	if !sent {
		t.Fatal("nobody comes through")
	}
	r.want(1)
}

// certificate makes one for 127.0.0.1 that vouches for itself, in files.
func certificate(t *testing.T) (cert, key string, pair tls.Certificate) {
	t.Helper()
	k, err := ecdsa.GenerateKey(elliptic.P256(), crand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	c := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "test"}, NotAfter: time.Now().Add(time.Hour), IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign | x509.KeyUsageDigitalSignature, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth}}
	der, err := x509.CreateCertificate(crand.Reader, c, c, k.Public(), k)
	if err != nil {
		t.Fatal(err)
	}
	secret, err := x509.MarshalPKCS8PrivateKey(k)
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	cert, key = filepath.Join(dir, "cert.pem"), filepath.Join(dir, "key.pem")
	certPEM, keyPEM := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: secret})
	if err := errors.Join(os.WriteFile(cert, certPEM, 0o600), os.WriteFile(key, keyPEM, 0o600)); err != nil {
		t.Fatal(err)
	}
	if pair, err = tls.X509KeyPair(certPEM, keyPEM); err != nil {
		t.Fatal(err)
	}
	return cert, key, pair
}

func client(t *testing.T, ca string, pairs ...tls.Certificate) *http.Client {
	t.Helper()
	b, err := os.ReadFile(ca)
	if err != nil {
		t.Fatal(err)
	}
	pool := x509.NewCertPool()
	pool.AppendCertsFromPEM(b)
	tr := &http.Transport{TLSClientConfig: &tls.Config{RootCAs: pool, Certificates: pairs}}
	t.Cleanup(tr.CloseIdleConnections)
	return &http.Client{Transport: tr}
}

func TestTLS(t *testing.T) {
	cert, key, pair := certificate(t)
	other, _, strange := certificate(t)
	r, at := serve(t, &Webhook{Cert: cert, Key: key})
	if code, _ := post(t, client(t, cert), "https"+at, "", event(1)); code != 200 {
		t.Error(code)
	}
	r.want(1)
	if _, err := client(t, other).Post("https"+at, "", strings.NewReader(event(2))); err == nil {
		t.Error("the test's client believes anybody")
	}
	r, at = serve(t, &Webhook{Cert: cert, Key: key, ClientCA: cert})
	if code, _ := post(t, client(t, cert, pair), "https"+at, "", event(3)); code != 200 {
		t.Error(code)
	}
	for _, c := range []*http.Client{client(t, cert), client(t, cert, strange)} {
		if resp, err := c.Post("https"+at, "", bytes.NewReader([]byte(event(4)))); err == nil {
			t.Error(resp.Status)
		}
	}
	r.want(3)
}

func TestRefusedSettings(t *testing.T) {
	cert, key, _ := certificate(t)
	for _, s := range []*Webhook{
		{Listen: "0.0.0.0:0"}, {Listen: ":0"}, {Listen: "127.0.0.1:0", ClientCA: cert}, {Listen: "127.0.0.1:0", Cert: cert}, {Listen: "127.0.0.1:0", Cert: key, Key: cert},
		{Listen: "127.0.0.1:0", Cert: cert, Key: key, ClientCA: key},
	} {
		if a := s.Abilities(); a[0].Why == "" {
			t.Errorf("%+v", a)
		}
		if err := s.Run(t.Context(), all, func() { t.Error("ready") }, nil); err == nil {
			t.Errorf("%s %s runs", s.Listen, s.Cert)
		}
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	if err := (&Webhook{Listen: l.Addr().String()}).Run(t.Context(), all, func() {}, nil); !errors.Is(err, bulwark.ErrUnavailable) {
		t.Error(err)
	}
}
