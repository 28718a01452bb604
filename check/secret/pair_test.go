package secret

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"strings"
	"testing"
	"time"

	"bulwark"
)

// TestPairs: a key and its certificate, in two files, are told together.
func TestPairs(t *testing.T) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	until := time.Date(2027, 3, 4, 0, 0, 0, 0, time.UTC)
	template := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "shop.corp.test"}, NotAfter: until}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	private, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	i := testInspector(t)
	inv := &bulwark.Inventory{}
	add := func(path string, b *pem.Block) {
		facts, err := inspect(t, i, path, pem.EncodeToMemory(b), 100)
		if err != nil {
			t.Fatal(err)
		}
		for _, d := range facts.Documents {
			d.Path = path
			inv.Documents = append(inv.Documents, d)
		}
	}
	add("etc/tls/shop.crt", &pem.Block{Type: "CERTIFICATE", Bytes: der})
	add("srv/shop.key", &pem.Block{Type: "PRIVATE KEY", Bytes: private})
	for now, want := range map[string]string{"2026-01-01": "high", "2028-01-01": "low"} {
		clock, err := time.Parse(time.DateOnly, now)
		if err != nil {
			t.Fatal(err)
		}
		var got []bulwark.Finding
		c := &Check{now: clock}
		if err := c.Check(t.Context(), &bulwark.Target{}, inv, func(r bulwark.Record) { got = append(got, *r.Finding) }); err != nil {
			t.Fatal(err)
		}
		if len(got) != 1 || got[0].Severity.String() != want || got[0].Path != "srv/shop.key" || !strings.Contains(got[0].Subject, "shop.corp.test") {
			t.Errorf("at %s: %+v, want one of severity %s", now, got, want)
		}
	}
	for n := range inv.Documents {
		if d := &inv.Documents[n]; d.Kind == keyDocument {
			d.Path = "srv/node_modules/x/test/shop.key"
		}
	}
	pairs(inv, time.Time{}, func(r bulwark.Record) {
		if r.Finding.Severity != bulwark.SeverityLow {
			t.Errorf("in a package's tests: %+v", r.Finding)
		}
	})
}
