package secret

import (
	"cmp"
	"crypto/sha256"
	"crypto/x509"
	"encoding/hex"
	"encoding/json"
	"encoding/pem"
	"slices"
	"strings"
	"time"

	"bulwark"
	"bulwark/check/secret/internal/rule"
)

// The kinds of document by which the inspector tells the check of keys and certificates:
// a private key whose certificate is in the same image is one that a service uses.
const (
	keyDocument         = "secret/key"
	certificateDocument = "secret/certificate"
	mostDocuments       = 50 // of one file
)

// half is one half of a pair: the digest of a public key, and what a certificate says of it.
type half struct {
	Public string    `json:"public"`
	Name   string    `json:"name,omitempty"`
	Until  time.Time `json:"until,omitzero"`
}

// certificates finds certificates beside the rules for secrets.
var certificates = &rule.Rule{ID: "certificate", Title: "Certificate", Severity: bulwark.SeverityLow, After: 4 << 10,
	Anchors: []string{"-----BEGIN CERTIFICATE-----"}, Pattern: `-----BEGIN CERTIFICATE-----[\sA-Za-z0-9+/=]{100,}-----END CERTIFICATE-----`}

// fingerprint is the digest of a public key.
func fingerprint(public any) string {
	der, err := x509.MarshalPKIXPublicKey(public)
	if err != nil {
		return ""
	}
	sum := sha256.Sum256(der)
	return hex.EncodeToString(sum[:])
}

// certificate keeps what a certificate says, unless it is one of the authorities that every
// image trusts: their keys are in none.
func (s *scan) certificate(text []byte) {
	block, _ := pem.Decode(unindented(text))
	if block == nil || len(s.documents) >= mostDocuments {
		return
	}
	c, err := x509.ParseCertificate(block.Bytes)
	if err != nil || c.IsCA && (s.place.packaged || ofAuthorities(s.path)) {
		return
	}
	s.document(certificateDocument, half{fingerprint(c.PublicKey), clean(c.Subject.CommonName), c.NotAfter.UTC()})
}

func ofAuthorities(path string) bool {
	return slices.ContainsFunc([]string{"etc/ssl/certs/", "etc/pki/", "ca-certificates", "etc/ssl/cert.pem"}, func(p string) bool { return strings.Contains(path, p) })
}

func (s *scan) document(kind string, h half) {
	data, err := json.Marshal(h)
	if err != nil || h.Public == "" || len(s.documents) >= mostDocuments {
		return
	}
	d := bulwark.Document{Kind: kind, Data: data}
	if s.inner {
		d.Path = s.path
	}
	s.documents = append(s.documents, d)
}

// pairs emits a finding for every private key whose certificate the image holds too.
func pairs(inv *bulwark.Inventory, now time.Time, emit func(bulwark.Record)) {
	type placed struct {
		half
		bulwark.Place
	}
	keys, certs := map[string][]placed{}, map[string]placed{}
	for _, d := range inv.Documents {
		var h half
		if d.Kind != keyDocument && d.Kind != certificateDocument || json.Unmarshal(d.Data, &h) != nil {
			continue
		}
		p := placed{h, bulwark.Place{Path: d.Path, Layer: d.Layer}}
		if d.Kind == keyDocument {
			keys[h.Public] = append(keys[h.Public], p)
		} else if old, ok := certs[h.Public]; !ok || h.Until.After(old.Until) {
			certs[h.Public] = p
		}
	}
	for public, cert := range certs {
		list := keys[public]
		if len(list) == 0 || published(public) {
			continue
		}
		slices.SortFunc(list, func(a, b placed) int { return cmp.Compare(a.Path, b.Path) })
		f := pairFinding(cert.half, cert.Path, now)
		f.Path, f.Layer = list[0].Path, list[0].Layer
		if note := doubtOf(list[0].Path); !slices.ContainsFunc(list, func(p placed) bool { return doubtOf(p.Path) == "" }) {
			lower(&f, note)
		}
		for _, k := range list {
			f.Places = append(f.Places, k.Place)
		}
		emit(bulwark.Record{Finding: &f})
	}
}

// doubtOf is what speaks against a key in that place that a service uses it.
func doubtOf(path string) string {
	w := placeOf(strings.TrimPrefix(path, "/"), 0)
	switch {
	case w.packaged && w.sample:
		return packagedTest.String()
	case w.packaged && !w.key:
		return packagedProgram.String()
	}
	return ""
}

// pairRule is told of beside the rules of the folder: it is met by two files together.
var pairRule = bulwark.Rule{ID: family + "certificate-key", Severity: bulwark.SeverityHigh,
	Title:          "Private key of a certificate in the same image",
	Reason:         "Whoever can pull the image answers in the name of the certificate, or reads what is sent to it, from wherever. High, because a service uses the key; low once the certificate has expired.",
	FalsePositives: "A certificate that the build makes for itself and that nobody else trusts (localhost, a test).",
}

// pairFinding says whose key it is. It rates by the certificate: expired ones are accepted nowhere.
func pairFinding(cert half, path string, now time.Time) bulwark.Finding {
	f := bulwark.Finding{
		Kind: bulwark.KindSecret, Rule: pairRule.ID, Severity: pairRule.Severity, Title: pairRule.Title,
		Subject: "private key of the certificate of " + cmp.Or(cert.Name, "nobody named"),
		Evidence: []string{"certificate in " + clean(path) + ", valid until " + cert.Until.Format(time.DateOnly),
			"public key SHA-256 " + cert.Public},
		Fix: &bulwark.Fix{Text: "replace key and certificate, then build without the key: give it at run time"},
		Key: bulwark.Key(bulwark.KindSecret, pairRule.ID, cert.Public, ""),
	}
	if !now.IsZero() && cert.Until.Before(now) {
		f.Severity = bulwark.SeverityLow
		f.Evidence = append(f.Evidence, "the certificate has expired")
	}
	f.Risk = bulwark.Risk(bulwark.Factors{Severity: f.Severity, Fixable: true})
	return f
}
