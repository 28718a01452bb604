package workload

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
	"slices"
	"testing"
	"time"

	gocmp "github.com/google/go-cmp/cmp"

	"bulwark/kube"
	"bulwark/kube/kubetest"
)

// token is one of a service account, signed by nobody.
func token(subject string) string {
	part := func(v any) string {
		b, _ := json.Marshal(v)
		return base64.RawURLEncoding.EncodeToString(b)
	}
	return part(map[string]string{"alg": "RS256"}) + "." + part(map[string]string{"iss": "kubernetes/serviceaccount", "sub": subject}) + "." + part("none")
}

// certificate is one that signs itself, with its key, in PEM.
func certificate(tb testing.TB, subject pkix.Name, ca bool, names ...string) (cert, key string) {
	tb.Helper()
	k, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		tb.Fatal(err)
	}
	c := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: subject, NotAfter: time.Unix(1<<33, 0), DNSNames: names, IsCA: ca, BasicConstraintsValid: true}
	der, err := x509.CreateCertificate(rand.Reader, c, &x509.Certificate{SerialNumber: big.NewInt(2), Subject: pkix.Name{CommonName: "kubernetes"}}, k.Public(), k)
	if err != nil {
		tb.Fatal(err)
	}
	b, err := x509.MarshalPKCS8PrivateKey(k)
	if err != nil {
		tb.Fatal(err)
	}
	return string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})), string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: b}))
}

// TestSecrets holds what a Secret is told to open by its values.
func TestSecrets(t *testing.T) {
	admin, adminKey := certificate(t, pkix.Name{CommonName: "kubernetes-admin", Organization: []string{"system:masters"}}, false)
	ann, annKey := certificate(t, pkix.Name{CommonName: "ann", Organization: []string{"ops"}}, false)
	root, rootKey := certificate(t, pkix.Name{CommonName: "kubernetes"}, true)
	login := func(user map[string]string) string {
		b, _ := json.Marshal(map[string]any{"apiVersion": "v1", "kind": "Config", "current-context": "a", "users": []any{map[string]any{"name": "a", "user": user}}})
		return string(b)
	}
	in := func(s string) string { return base64.StdEncoding.EncodeToString([]byte(s)) }
	for _, tt := range []struct {
		name   string
		values map[string]string
		edge   string
		want   []string
	}{
		{"a token", map[string]string{"t": token("system:serviceaccount:kube-system:deployer")}, "TOKEN_STEAL", []string{"secret:shop/s -> account:kube-system/deployer"}},
		{"a token of somebody else", map[string]string{"t": token("ann@example.com")}, "TOKEN_STEAL", nil},
		{"an administrator's certificate", map[string]string{"c": admin, "k": adminKey}, "CLIENT_CERTIFICATE", []string{"secret:shop/s -> cluster-admin"}},
		{"a certificate without its key", map[string]string{"c": admin, "k": annKey}, "CLIENT_CERTIFICATE", nil},
		{"a user's certificate", map[string]string{"c": ann, "k": annKey}, "CLIENT_CERTIFICATE", []string{"secret:shop/s -> identity:Group ops", "secret:shop/s -> identity:User ann"}},
		{"the cluster's own", map[string]string{"c": root, "k": rootKey}, "CLIENT_CERTIFICATE", []string{"secret:shop/s -> cluster-admin"}},
		{"a kubeconfig with a token", map[string]string{"kubeconfig": login(map[string]string{"token": token("system:serviceaccount:ci:runner")})}, "TOKEN_STEAL", []string{"secret:shop/s -> account:ci/runner"}},
		{"a kubeconfig with a certificate", map[string]string{"conf": login(map[string]string{"client-certificate-data": in(admin), "client-key-data": in(adminKey)})}, "CLIENT_CERTIFICATE", []string{"secret:shop/s -> cluster-admin"}},
		{"a kubeconfig by its name with a certificate", map[string]string{"admin.conf": login(map[string]string{"client-certificate-data": in(admin), "client-key-data": in(adminKey)})}, "CLIENT_CERTIFICATE", []string{"secret:shop/s -> cluster-admin"}},
		{"a kubeconfig of nobody known", map[string]string{"kubeconfig": login(map[string]string{"tokenFile": "/t"})}, "KUBECONFIG", []string{"secret:shop/s -> identity:Kubeconfig shop/s"}},
		{"one that is known has no name of its own", map[string]string{"kubeconfig": login(map[string]string{"token": token("system:serviceaccount:ci:runner")})}, "KUBECONFIG", nil},
	} {
		b, _ := json.Marshal(map[string]any{"apiVersion": "v1", "kind": "Secret", "metadata": map[string]string{"name": "s", "namespace": "shop"}, "stringData": tt.values})
		if diff := gocmp.Diff(tt.want, draw(t, kubetest.Set(t, string(b))).of(tt.edge)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", tt.name, diff)
		}
	}
}

// TestSecretsOfClusters holds that what a cluster keeps of a Secret, which is never its
// values, is enough to tell what it opens.
func TestSecretsOfClusters(t *testing.T) {
	b, _ := json.Marshal(kube.Values{Read: true, Keys: []kube.Key{
		{Name: "aws_secret_access_key", Size: 40}, {Name: "kubeconfig", Size: 900}, {Name: ".dockerconfigjson", Registries: []string{"https://index.docker.io/v1/"}},
		{Name: "t", Token: &kube.Token{Subject: "system:serviceaccount:ci:runner"}}, {Name: "azure_client_secret", Placeholder: true},
	}})
	d := draw(t, kubetest.Set(t, "{apiVersion: v1, kind: Secret, metadata: {name: s, namespace: shop}, bulwark: "+string(b)+"}"))
	var got []string
	for _, r := range d.Relations {
		if r.From == "secret:shop/s" {
			got = append(got, r.Type+" "+string(r.To))
		}
	}
	slices.Sort(got)
	want := []string{"CLOUD_KEYS cloud:aws/key in shop/s", "KUBECONFIG identity:Kubeconfig shop/s", "REGISTRY_ACCESS registry:docker.io", "TOKEN_STEAL account:ci/runner"}
	if diff := gocmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}
