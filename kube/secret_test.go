package kube

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"math/big"
	"strings"
	"testing"
	"time"
)

func secretOf(t *testing.T, data map[string]string) *Object {
	t.Helper()
	coded := map[string]string{}
	for k, v := range data {
		coded[k] = base64.StdEncoding.EncodeToString([]byte(v))
	}
	b, err := json.Marshal(map[string]any{"apiVersion": "v1", "kind": "Secret", "metadata": map[string]any{
		"name": "s", "annotations": map[string]string{lastApplied: `{"kind":"Secret","stringData":{"b":"x"}}`},
	}, "data": coded, "stringData": map[string]string{"extra": "same"}})
	if err != nil {
		t.Fatal(err)
	}
	root, err := ParseJSON(b)
	if err != nil {
		t.Fatal(err)
	}
	o, ok := NewObject(root, Origin{})
	if !ok {
		t.Fatal("no object")
	}
	return o
}

func pair(t *testing.T) (cert, key string) {
	t.Helper()
	k, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	c := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "web"}, DNSNames: []string{"web.example"},
		NotBefore: time.Unix(1e9, 0), NotAfter: time.Unix(2e9, 0)}
	der, err := x509.CreateCertificate(rand.Reader, c, c, k.Public(), k)
	if err != nil {
		t.Fatal(err)
	}
	kd, err := x509.MarshalPKCS8PrivateKey(k)
	if err != nil {
		t.Fatal(err)
	}
	return string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})), string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE" + " KEY", Bytes: kd}))
}

func TestValuesOf(t *testing.T) {
	cert, key := pair(t)
	v := ValuesOf(secretOf(t, map[string]string{"tls.crt": cert, "tls.key": key, "pw": "same", "other": "changeme", "bin": "\xff\xfe", "empty": ""}))
	byName := map[string]Key{}
	for _, k := range v.Keys {
		byName[k.Name] = k
	}
	if !v.Read || len(v.Keys) != 7 || strings.Join(v.Applied, " ") != "b" {
		t.Fatalf("%+v", v)
	}
	if byName["pw"].Hash == "" || byName["pw"].Hash != byName["extra"].Hash || byName["pw"].Hash == byName["other"].Hash {
		t.Error("hashes do not tell which values are equal")
	}
	if !byName["other"].Placeholder || byName["bin"].Form != "binary" || byName["empty"].Hash != "" {
		t.Errorf("%+v", byName)
	}
	c, p := byName["tls.crt"].Certificates, byName["tls.key"].PrivateKey
	if len(c) != 1 || c[0].Bits != 256 || !c[0].SelfSigned || c[0].NotAfter.Unix() != 2e9 || p == nil || p.PublicKey != c[0].PublicKey {
		t.Errorf("certificate %+v, key %+v", c, p)
	}
	again, err := json.Marshal(v)
	if err != nil || strings.Contains(string(again), "changeme") {
		t.Errorf("%s %v", again, err)
	}
	// What is kept reads back as what it was.
	root, err := ParseJSON([]byte(`{"apiVersion":"v1","kind":"Secret","metadata":{"name":"s"},"bulwark":` + string(again) + `}`))
	if err != nil {
		t.Fatal(err)
	}
	o, _ := NewObject(root, Origin{})
	third, _ := json.Marshal(ValuesOf(o))
	if string(third) != string(again) {
		t.Errorf("read back:\n%s\n%s", third, again)
	}
}

func TestMasked(t *testing.T) {
	m := Masked{Why: "shape", Length: 40, Shown: "AKIA", Hash: "00ff"}
	got, before, after, ok := ParseMasked("x://" + m.String() + "@db")
	if !ok || got != m || before != "x://" || after != "@db" {
		t.Errorf("%+v %q %q %v", got, before, after, ok)
	}
	for _, text := range []string{"", "bulwark.masked:", "bulwark.masked:a:x:y:z", "bulwark.masked:a:-1::"} {
		if _, _, _, ok := ParseMasked(text); ok {
			t.Errorf("%q is taken as masked", text)
		}
	}
}

func FuzzMasked(f *testing.F) {
	f.Add("bulwark.masked:shape:40:AKIA:00ff")
	f.Fuzz(func(t *testing.T, s string) {
		if m, _, _, ok := ParseMasked(s); ok {
			if again, _, _, ok := ParseMasked(m.String()); !ok || again != m {
				t.Errorf("%q: %+v, again %+v", s, m, again)
			}
		}
	})
}
