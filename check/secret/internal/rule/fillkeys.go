package rule

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	crand "crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"fmt"
	"math/big"
	"math/rand/v2"
	"strings"
	"sync"

	"golang.org/x/crypto/ssh"

	"bulwark"
)

// luhnDigit is the check digit of the digits of a line.
func luhnDigit(line string) string {
	digits := bytes.Map(func(r rune) rune {
		if r < '0' || r > '9' {
			return -1
		}
		return r
	}, []byte(line))
	return string(rune('0' + (10-luhnSum(digits, true)%10)%10))
}

func newIBAN(country, length string, r *rand.Rand) (string, error) {
	digits, err := draw(alphabets["digits"], length, r)
	for check := range 98 {
		if s := fmt.Sprintf("%s%02d%s", country, check, digits); check > 1 && iban([]byte(s)) {
			return s, err
		}
	}
	return "", fmt.Errorf("IBAN of %q: %w", country, bulwark.ErrMalformed)
}

func newJWT(expired bool, r *rand.Rand) string {
	exp := 1893456000
	if expired {
		exp = 1577836800
	}
	part := func(s string) string { return base64.RawURLEncoding.EncodeToString([]byte(s)) }
	signature, _ := draw(alphabets["base64url"], "43", r)
	return part(`{"alg":"HS256","typ":"JWT"}`) + "." +
		part(fmt.Sprintf(`{"iss":"https://login.corp.test","sub":"u%d","iat":1570000000,"exp":%d}`, r.Uint32(), exp)) + "." + signature
}

// newWIF is a Bitcoin key as wallets export it.
func newWIF(r *rand.Rand) string {
	raw := []byte{0x80}
	for range 32 {
		raw = append(raw, byte(r.Uint32()))
	}
	raw = append(raw, 1)
	first := sha256.Sum256(raw)
	second := sha256.Sum256(first[:])
	n := new(big.Int).SetBytes(append(raw, second[:4]...))
	var out []byte
	for digit := new(big.Int); n.Sign() > 0; {
		n.DivMod(n, big.NewInt(58), digit)
		out = append([]byte{base58Digits[digit.Int64()]}, out...)
	}
	return string(out)
}

// rsaKey is made once: it takes long.
var rsaKey = sync.OnceValues(func() (*rsa.PrivateKey, error) { return rsa.GenerateKey(crand.Reader, 2048) })

func newKey(kind string, r *rand.Rand) (crypto.Signer, error) {
	switch kind {
	case "rsa", "encrypted":
		return rsaKey()
	case "ec":
		return ecdsa.GenerateKey(elliptic.P256(), crand.Reader)
	}
	seed := make([]byte, ed25519.SeedSize)
	for i := range seed {
		seed[i] = byte(r.Uint32())
	}
	return ed25519.NewKeyFromSeed(seed), nil
}

func newPEM(kind string, r *rand.Rand) (string, error) {
	key, err := newKey(kind, r)
	if err != nil {
		return "", err
	}
	var b *pem.Block
	switch kind {
	case "rsa":
		b = &pem.Block{Type: "RSA PRIVATE KEY", Bytes: x509.MarshalPKCS1PrivateKey(key.(*rsa.PrivateKey))}
	case "encrypted":
		raw := x509.MarshalPKCS1PrivateKey(key.(*rsa.PrivateKey))
		b = &pem.Block{Type: "RSA PRIVATE KEY", Bytes: raw[:len(raw)/16*16],
			Headers: map[string]string{"Proc-Type": "4,ENCRYPTED", "DEK-Info": "AES-128-CBC," + strings.Repeat("A1", 16)}}
	case "ec":
		raw, err := x509.MarshalECPrivateKey(key.(*ecdsa.PrivateKey))
		if err != nil {
			return "", err
		}
		b = &pem.Block{Type: "EC PRIVATE KEY", Bytes: raw}
	case "openssh":
		if b, err = ssh.MarshalPrivateKey(key, "someone"); err != nil {
			return "", err
		}
	case "ed25519", "pkcs8":
		raw, err := x509.MarshalPKCS8PrivateKey(key)
		if err != nil {
			return "", err
		}
		b = &pem.Block{Type: "PRIVATE KEY", Bytes: raw}
	default:
		return "", fmt.Errorf("key of kind %q: %w", kind, bulwark.ErrMalformed)
	}
	return string(pem.EncodeToMemory(b)), nil
}
