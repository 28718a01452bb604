package kube

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/hmac"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"encoding/pem"
	"slices"
	"strings"
	"time"
	"unicode/utf8"
)

// Values is what is known of the values of a Secret, and never the values themselves. A
// Secret of a cluster or snapshot has it in its field "bulwark" in place of data; that of
// a manifest is made of its data and stringData. [ValuesOf] gives both.
type Values struct {
	// Read is false when the values were not looked at: a cluster without --read-secrets.
	// Keys is then empty though the Secret has some.
	Read bool  `json:"read"`
	Keys []Key `json:"keys,omitempty"` // by name
	// Applied are names of keys whose values stand in the annotation in which kubectl apply
	// keeps what was applied.
	Applied []string `json:"applied,omitempty"`
	// Changed is when the Secret was last written, as far as a cluster keeps that.
	Changed time.Time `json:"changed,omitzero"`
}

// Key is one key of a Secret.
type Key struct {
	Name string `json:"name"`
	Size int    `json:"size"` // bytes of the value
	// Hash is equal for equal values of one set of objects, and means nothing beside it: its
	// key is thrown away. It is not for showing. "" of an empty value.
	Hash string `json:"hash,omitempty"`
	// Form is what the value looks like: text, json, pem, binary.
	Form string `json:"form,omitempty"`
	// Placeholder is true when the value is what stands where none was set yet: "changeme".
	Placeholder  bool          `json:"placeholder,omitempty"`
	Certificates []Certificate `json:"certificates,omitempty"`
	PrivateKey   *PrivateKey   `json:"privateKey,omitempty"`
	Registries   []string      `json:"registries,omitempty"` // of a .dockerconfigjson
	Token        *Token        `json:"token,omitempty"`      // when it is a JSON web token
}

// Certificate is what matters of an X.509 certificate.
type Certificate struct {
	Subject    string    `json:"subject"`
	Issuer     string    `json:"issuer"`
	Names      []string  `json:"names,omitempty"` // that it is for
	NotBefore  time.Time `json:"notBefore"`
	NotAfter   time.Time `json:"notAfter"`
	Algorithm  string    `json:"algorithm"` // RSA, ECDSA, Ed25519
	Bits       int       `json:"bits,omitempty"`
	Signature  string    `json:"signature"` // "SHA256-RSA"
	CA         bool      `json:"ca,omitempty"`
	SelfSigned bool      `json:"selfSigned,omitempty"`
	PublicKey  string    `json:"publicKey"` // SHA-256 of it, to tell which private key belongs to it
}

// PrivateKey is what matters of a private key.
type PrivateKey struct {
	Algorithm string `json:"algorithm,omitempty"`
	Bits      int    `json:"bits,omitempty"`
	Encrypted bool   `json:"encrypted,omitempty"`
	PublicKey string `json:"publicKey,omitempty"` // SHA-256 of the public half
}

// Token is what a JSON web token says of itself.
type Token struct {
	Issuer  string    `json:"issuer,omitempty"`
	Subject string    `json:"subject,omitempty"`
	Expires time.Time `json:"expires,omitzero"` // zero: never
}

// ValuesOf gives what is known of a Secret's values; nil for what is no Secret.
func ValuesOf(o *Object) *Values {
	if o == nil || !o.Is("", "Secret") {
		return nil
	}
	if n := o.Root.Get("bulwark"); n.Exists() {
		v := new(Values)
		n.Decode(v, "bulwark")
		return v
	}
	return manifestHasher.Values(o.Root)
}

// manifestHasher makes the hashes of manifests' Secrets, which are never stored.
var manifestHasher = NewHasher()

// Hasher makes hashes with a key that nobody knows.
type Hasher struct{ key [32]byte }

// NewHasher gives a hasher with a new random key.
func NewHasher() *Hasher {
	h := new(Hasher)
	rand.Read(h.key[:]) // it never fails
	return h
}

// Hash is that of a value.
func (h *Hasher) Hash(value []byte) string {
	m := hmac.New(sha256.New, h.key[:])
	m.Write(value)
	return hex.EncodeToString(m.Sum(nil)[:16])
}

const lastApplied = "kubectl.kubernetes.io/last-applied-configuration"

// Values tells of the values of a Secret as a manifest or the API server has it.
func (h *Hasher) Values(root *Node) *Values {
	v := &Values{Read: true, Applied: applied(root), Changed: changed(root)}
	values := map[string][]byte{}
	for name, n := range root.Get("data").Fields() {
		b, err := base64.StdEncoding.DecodeString(strings.Join(strings.Fields(n.Text()), ""))
		if err != nil {
			b = []byte(n.Text()) // no base64: the server would refuse it
		}
		values[name] = b
	}
	for name, n := range root.Get("stringData").Fields() {
		values[name] = []byte(n.Text())
	}
	for name, value := range values {
		v.Keys = append(v.Keys, h.describe(name, value))
	}
	slices.SortFunc(v.Keys, func(a, b Key) int { return strings.Compare(a.Name, b.Name) })
	return v
}

// changed is the last of the times at which somebody wrote fields; the zero time when no
// object of a cluster tells.
func changed(root *Node) (last time.Time) {
	meta := root.Get("metadata")
	last, _ = time.Parse(time.RFC3339, meta.Get("creationTimestamp").Text())
	for _, m := range meta.Get("managedFields").Items() {
		if t, err := time.Parse(time.RFC3339, m.Get("time").Text()); err == nil && t.After(last) {
			last = t
		}
	}
	return last.UTC()
}

// applied are the keys whose values the annotation of kubectl apply holds.
func applied(root *Node) []string {
	text := root.Get("metadata", "annotations", lastApplied).Text()
	if text == "" {
		return nil
	}
	n, err := ParseJSON([]byte(text))
	if err != nil {
		return nil
	}
	var names []string
	for _, field := range []string{"data", "stringData"} {
		for name, value := range n.Get(field).Fields() {
			if value.Text() != "" && !slices.Contains(names, name) {
				names = append(names, name)
			}
		}
	}
	slices.Sort(names)
	return names
}

func (h *Hasher) describe(name string, value []byte) Key {
	k := Key{Name: name, Size: len(value)}
	if len(value) == 0 {
		return k
	}
	k.Hash, k.Placeholder = h.Hash(value), placeholder(string(value))
	text := strings.TrimSpace(string(value))
	switch {
	case strings.Contains(text, "-----BEGIN "):
		k.Form = "pem"
		k.pem([]byte(text))
	case !utf8.Valid(value):
		k.Form = "binary"
	case strings.HasPrefix(text, "{") && json.Valid(value):
		k.Form = "json"
		k.Registries = registries(value)
	default:
		k.Form = "text"
		k.Token = tokenOf(text)
	}
	return k
}

// placeholder tells whether a value only keeps the place of one.
func placeholder(value string) bool {
	v := strings.ToLower(strings.Trim(strings.TrimSpace(value), `"'`))
	switch v {
	case "", "changeme", "change-me", "change_me", "todo", "fixme", "placeholder", "replaceme", "replace-me", "replace_me", "example", "dummy", "xxx", "xxxx", "xxxxx", "your-password", "yourpassword", "null", "none", "tbd":
		return true
	}
	return strings.HasPrefix(v, "<") && strings.HasSuffix(v, ">") || strings.HasPrefix(v, "${") && strings.HasSuffix(v, "}") || strings.HasPrefix(v, "{{") && strings.HasSuffix(v, "}}")
}

const mostBlocks = 20 // PEM blocks of one value that are told of

func (k *Key) pem(rest []byte) {
	for range mostBlocks {
		var block *pem.Block
		if block, rest = pem.Decode(rest); block == nil {
			return
		}
		switch {
		case block.Type == "CERTIFICATE":
			if c, err := x509.ParseCertificate(block.Bytes); err == nil {
				k.Certificates = append(k.Certificates, certificate(c))
			}
		case strings.HasSuffix(block.Type, "PRIVATE KEY") && k.PrivateKey == nil:
			k.PrivateKey = privateKey(block)
		}
	}
}

func certificate(c *x509.Certificate) Certificate {
	algorithm, bits := strength(c.PublicKey)
	out := Certificate{
		Subject: c.Subject.String(), Issuer: c.Issuer.String(), NotBefore: c.NotBefore.UTC(), NotAfter: c.NotAfter.UTC(),
		Algorithm: algorithm, Bits: bits, Signature: c.SignatureAlgorithm.String(), CA: c.IsCA,
		SelfSigned: string(c.RawIssuer) == string(c.RawSubject), PublicKey: fingerprint(c.RawSubjectPublicKeyInfo),
	}
	out.Names = append(out.Names, c.DNSNames[:min(len(c.DNSNames), 50)]...)
	for _, ip := range c.IPAddresses[:min(len(c.IPAddresses), 50)] {
		out.Names = append(out.Names, ip.String())
	}
	return out
}

func fingerprint(der []byte) string {
	sum := sha256.Sum256(der)
	return hex.EncodeToString(sum[:])
}

func strength(public any) (algorithm string, bits int) {
	switch p := public.(type) {
	case *rsa.PublicKey:
		return "RSA", p.N.BitLen()
	case *ecdsa.PublicKey:
		return "ECDSA", p.Curve.Params().BitSize
	case ed25519.PublicKey:
		return "Ed25519", 256
	}
	return "", 0
}

func privateKey(block *pem.Block) *PrivateKey {
	if block.Type == "ENCRYPTED PRIVATE KEY" || strings.Contains(block.Headers["Proc-Type"], "ENCRYPTED") {
		return &PrivateKey{Encrypted: true}
	}
	var private any
	if key, err := x509.ParsePKCS8PrivateKey(block.Bytes); err == nil {
		private = key
	} else if key, err := x509.ParsePKCS1PrivateKey(block.Bytes); err == nil {
		private = key
	} else if key, err := x509.ParseECPrivateKey(block.Bytes); err == nil {
		private = key
	}
	signer, ok := private.(crypto.Signer)
	if !ok {
		return &PrivateKey{}
	}
	algorithm, bits := strength(signer.Public())
	out := &PrivateKey{Algorithm: algorithm, Bits: bits}
	if der, err := x509.MarshalPKIXPublicKey(signer.Public()); err == nil {
		out.PublicKey = fingerprint(der)
	}
	return out
}

// registries are those that a docker configuration has credentials for.
func registries(value []byte) []string {
	var c struct {
		Auths map[string]json.RawMessage `json:"auths"`
	}
	if json.Unmarshal(value, &c) != nil {
		return nil
	}
	var list []string
	for host := range c.Auths {
		list = append(list, host)
	}
	slices.Sort(list)
	return list[:min(len(list), 50)]
}

// tokenOf reads the claims of a JSON web token; nil when it is none.
func tokenOf(text string) *Token {
	parts := strings.Split(text, ".")
	if len(parts) != 3 || !strings.HasPrefix(text, "eyJ") {
		return nil
	}
	b, err := base64.RawURLEncoding.DecodeString(strings.TrimRight(parts[1], "="))
	if err != nil {
		return nil
	}
	var claims struct {
		Issuer  string  `json:"iss"`
		Subject string  `json:"sub"`
		Expires float64 `json:"exp"`
	}
	if json.Unmarshal(b, &claims) != nil {
		return nil
	}
	t := &Token{Issuer: claims.Issuer, Subject: claims.Subject}
	if claims.Expires > 0 && claims.Expires < 1e11 {
		t.Expires = time.Unix(int64(claims.Expires), 0).UTC()
	}
	return t
}
