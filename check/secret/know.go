package secret

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	_ "embed"
	"encoding/base32"
	"encoding/hex"
	"encoding/pem"
	"errors"
	"fmt"
	"path"
	"slices"
	"sort"
	"strings"
	"time"

	"golang.org/x/crypto/ssh"

	"bulwark"
	"bulwark/check/secret/internal/rule"
)

// knowledge is what a value says about itself, without asking anybody.
type knowledge struct {
	title    string
	severity bulwark.Severity // unknown: the rule's
	notes    []string
}

// know looks at a value for what it tells.
func know(r *rule.Rule, p string, value []byte, now time.Time) knowledge {
	switch {
	case bytes.HasPrefix(value, []byte("-----BEGIN ")):
		return ofKey(p, value)
	case bytes.HasPrefix(value, []byte("PuTTY-User-Key-File")):
		return ofPuTTY(value)
	case bytes.HasPrefix(value, []byte("eyJ")) && bytes.Count(value, []byte(".")) >= 2:
		return ofJWT(value, now)
	case len(value) == 20 && (bytes.HasPrefix(value, []byte("AKIA")) || bytes.HasPrefix(value, []byte("ASIA"))):
		return ofAWS(value)
	}
	return knowledge{}
}

// ofAWS reads the account out of an access key's id (the first 40 bits after the prefix, but for the first).
func ofAWS(value []byte) knowledge {
	raw, err := base32.StdEncoding.DecodeString(string(value[4:]))
	if err != nil || len(raw) < 6 {
		return knowledge{}
	}
	var n uint64
	for _, b := range raw[:6] {
		n = n<<8 | uint64(b)
	}
	account := n & 0x7fffffffff80 >> 7
	k := knowledge{notes: []string{fmt.Sprintf("AWS account %012d", account)}}
	if value[1] == 'S' {
		k.notes = append(k.notes, "temporary: it is of use together with a session token only")
		k.severity = bulwark.SeverityMedium
	}
	return k
}

// ofJWT tells who issued a token, and until when it holds.
func ofJWT(value []byte, now time.Time) knowledge {
	_, claims := rule.JWT(value)
	var k knowledge
	if iss, ok := claims["iss"].(string); ok {
		k.notes = append(k.notes, "issued by "+clean(iss))
	}
	if sub, ok := claims["sub"].(string); ok && len(sub) > 2 {
		k.notes = append(k.notes, "for "+clean(sub[:2])+"…")
	}
	exp, ok := claims["exp"].(float64)
	if !ok || exp < 0 || exp > 1<<40 {
		return k
	}
	until := time.Unix(int64(exp), 0).UTC()
	if !now.IsZero() && until.Before(now) {
		k.severity = bulwark.SeverityLow
		k.notes = append(k.notes, "expired "+until.Format(time.DateOnly))
		return k
	}
	k.notes = append(k.notes, "valid until "+until.Format(time.DateOnly))
	return k
}

func ofPuTTY(value []byte) knowledge {
	if bytes.Contains(value, []byte("Encryption: none")) {
		return knowledge{notes: []string{"not encrypted"}}
	}
	return knowledge{severity: bulwark.SeverityMedium, notes: []string{"encrypted with a passphrase"}}
}

// ofKey tells what kind of private key a PEM block is, and the fingerprint of its public part.
func ofKey(p string, value []byte) knowledge {
	var k knowledge
	if host := path.Base(p); strings.HasPrefix(host, "ssh_host_") && strings.HasSuffix(host, "_key") {
		k.title = "SSH host key, the same in every container of this image"
	}
	block := blockOf(value)
	switch {
	case block == nil:
		k.notes = append(k.notes, "the block could not be read whole")
	case strings.Contains(block.Type, "ENCRYPTED") || block.Headers["DEK-Info"] != "":
		k.notes = append(k.notes, encryptedKey)
	default:
		k.notes = append(k.notes, keyNotes(block)...)
	}
	if slices.Contains(k.notes, encryptedKey) {
		k.severity = bulwark.SeverityMedium
	}
	if isPublished(value) {
		k.severity = bulwark.SeverityLow
		k.notes = append(k.notes, publishedNote)
	}
	return k
}

// blockOf reads a block that may be indented, or a string of a program; nil when it cannot be.
func blockOf(value []byte) *pem.Block {
	text := bytes.ReplaceAll(bytes.ReplaceAll(value, []byte("\r"), nil), []byte(`\n`), []byte("\n"))
	block, _ := pem.Decode(unindented(text))
	return block
}

//go:embed public.txt
var publicKeys string

// published tells whether a private key or token is one that everybody has: it came with a package of a
// distribution or a language, for its tests mostly. The list holds what fingerprints begin with:
// of a key that of its public one, of a token that of its text.
func published(sum string) bool {
	const digits = 16
	i := sort.Search(len(publicKeys)/(digits+1), func(i int) bool { return publicKeys[i*(digits+1):][:digits] >= sum[:digits] })
	return i < len(publicKeys)/(digits+1) && publicKeys[i*(digits+1):][:digits] == sum[:digits]
}

// isPublished tells whether a block is one of those.
func isPublished(value []byte) bool { return published(keySum(value)) }

// keySum names a private key: by its public one, or by the text of a block that does not tell it
// (encrypted, PGP, of kinds that Go cannot read).
func keySum(value []byte) string {
	if block := blockOf(value); block != nil {
		for _, note := range keyNotes(block) {
			if sum, ok := strings.CutPrefix(note, publicNote); ok {
				return sum
			}
		}
	}
	sum := sha256.Sum256(bodyOf(value))
	return hex.EncodeToString(sum[:])
}

// bodyOf is the base 64 of a block, without headers and checksum.
func bodyOf(value []byte) []byte {
	text := bytes.ReplaceAll(bytes.ReplaceAll(value, []byte("\r"), nil), []byte(`\n`), []byte("\n"))
	var out []byte
	for line := range bytes.Lines(unindented(text)) {
		if bytes.IndexByte(line, ':') < 0 && !bytes.HasPrefix(line, []byte("-----")) && line[0] != '=' {
			out = append(out, bytes.TrimSpace(line)...)
		}
	}
	return out
}

// isWhole tells whether a block has a body and an end, and is no mention of one.
func isWhole(value []byte) bool {
	const shortest = 64 // an Ed25519 key
	body := bodyOf(value)
	return bytes.Contains(value, []byte("-----END")) && len(body) >= shortest &&
		!bytes.ContainsFunc(body, func(r rune) bool { return r >= 0x80 || !inAlphabet(byte(r)) && r != '=' })
}

const publishedNote = "everybody has it: it came with the tests of a public project"

// publicNote comes before the fingerprint of a public key.
const publicNote = "public key SHA-256 "

const encryptedKey = "encrypted with a passphrase"

// unindented drops what YAML and programs put around the lines of a block.
func unindented(text []byte) []byte {
	var out []byte
	for line := range bytes.Lines(text) {
		line = bytes.TrimSpace(line)
		if i := bytes.LastIndexAny(line, "\"'`"); i >= 0 && len(line)-i <= 4 {
			line = line[:i]
		}
		if i := bytes.IndexAny(line, "\"'`"); i >= 0 && i <= 3 {
			line = line[i+1:]
		}
		if line = bytes.TrimSpace(bytes.TrimRight(line, "\\")); len(line) > 0 {
			out = append(append(out, line...), '\n')
		}
	}
	return out
}

// keyNotes describes the key of a block.
func keyNotes(block *pem.Block) []string {
	private, err := parseKey(block)
	var missing *ssh.PassphraseMissingError
	if errors.As(err, &missing) {
		return []string{encryptedKey}
	}
	if err != nil {
		return []string{"not encrypted"}
	}
	public, kind := publicOf(private)
	if public == nil {
		return []string{"not encrypted"}
	}
	notes := []string{kind + " key, not encrypted"}
	if sum := fingerprint(public); sum != "" {
		notes = append(notes, publicNote+sum)
	}
	return notes
}

func parseKey(block *pem.Block) (any, error) {
	if block.Type == "OPENSSH PRIVATE KEY" {
		return ssh.ParseRawPrivateKey(pem.EncodeToMemory(block))
	}
	if key, err := x509.ParsePKCS8PrivateKey(block.Bytes); err == nil {
		return key, nil
	}
	if key, err := x509.ParsePKCS1PrivateKey(block.Bytes); err == nil {
		return key, nil
	}
	return x509.ParseECPrivateKey(block.Bytes)
}

func publicOf(private any) (public any, kind string) {
	switch k := private.(type) {
	case *rsa.PrivateKey:
		return &k.PublicKey, fmt.Sprintf("RSA %d", k.N.BitLen())
	case *ecdsa.PrivateKey:
		return &k.PublicKey, k.Curve.Params().Name
	case ed25519.PrivateKey:
		return k.Public(), "Ed25519"
	case *ed25519.PrivateKey:
		return k.Public(), "Ed25519"
	}
	return nil, ""
}

// clean makes foreign text fit to be shown.
func clean(s string) string {
	s = strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f || r == 0xfffd {
			return '?'
		}
		return r
	}, s)
	return s[:min(len(s), 120)]
}
