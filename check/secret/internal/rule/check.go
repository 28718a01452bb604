package rule

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"hash/crc32"
	"math/big"
	"strings"
)

// Checks are functions that tell a secret from what only looks like it, by name. They
// look at the secret alone.
//
//	github-crc32   its last 6 are the CRC-32 of the 30 or more before them in base 62, after a prefix that ends in "_"
//	luhn           digits (spaces and hyphens aside) with a right check digit, not all the same
//	iban           an account number with right check digits and the length of its country
//	base58         base 58 throughout
//	base58check    base 58 that ends in the first bytes of its double SHA-256
//	jwt            three parts, the first two of them JSON objects in base 64, the first with "alg"
//	base64         decodes as base 64 of either alphabet, padded or not
//	base64-json    decodes to a JSON object
//	base64-colon   decodes to printable "name:password" (basic authorization)
//	mixed          has an upper-case letter, a lower-case one and a digit
//	digit          has a digit
//	password       has something beside letters of one case, as a word does not
//	not-hex        is not hexadecimal throughout (a digest, not a key)
var Checks = map[string]func([]byte) bool{
	"github-crc32": githubCRC,
	"luhn":         luhn,
	"iban":         iban,
	"base58":       func(b []byte) bool { _, ok := base58(b); return ok },
	"base58check":  base58check,
	"jwt":          jwt,
	"base64":       func(b []byte) bool { _, ok := Base64(b); return ok },
	"base64-json":  base64JSON,
	"base64-colon": basicAuth,
	"mixed":        func(b []byte) bool { return has(b, 'A', 'Z') && has(b, 'a', 'z') && has(b, '0', '9') },
	"digit":        func(b []byte) bool { return has(b, '0', '9') },
	"password":     func(b []byte) bool { return !isWord(b) },
	"not-hex":      func(b []byte) bool { return !hexadecimal(b) },
}

// isWord tells whether b is letters alone, all but the first of one case.
func isWord(b []byte) bool {
	return !bytes.ContainsFunc(b, func(r rune) bool { return (r|0x20 < 'a' || r|0x20 > 'z') && r < 0x80 }) &&
		(!has(b[min(1, len(b)):], 'A', 'Z') || !has(b, 'a', 'z'))
}

const base62Digits = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"

// crcBase62 is the CRC-32 of b in n digits of base 62.
func crcBase62(b []byte, n int) string {
	out := make([]byte, n)
	sum := crc32.ChecksumIEEE(b)
	for i := n - 1; i >= 0; i-- {
		out[i] = base62Digits[sum%62]
		sum /= 62
	}
	return string(out)
}

func githubCRC(b []byte) bool {
	b = b[bytes.LastIndexByte(b, '_')+1:]
	if len(b) < 36 {
		return false
	}
	body := b[:len(b)-6]
	return crcBase62(body, 6) == string(b[len(b)-6:])
}

func luhn(b []byte) bool {
	digits := bytes.Map(func(r rune) rune {
		if r == ' ' || r == '-' {
			return -1
		}
		return r
	}, b)
	if len(digits) < 12 || len(digits) > 19 || bytes.Count(digits, digits[:1]) == len(digits) {
		return false
	}
	return luhnSum(digits, false)%10 == 0
}

// luhnSum is the weighted sum of digits; double says whether the last one counts twice. It is 1 for what is no digits.
func luhnSum(digits []byte, double bool) int {
	sum := 0
	for i := len(digits) - 1; i >= 0; i-- {
		d := int(digits[i] - '0')
		if digits[i] < '0' || d > 9 {
			return 1
		}
		if double {
			d *= 2
			d -= 9 * (d / 10)
		}
		double = !double
		sum += d
	}
	return sum
}

// lengths is how long an account number is, by country (ISO 13616).
var lengths = map[string]int{
	"AD": 24, "AE": 23, "AL": 28, "AT": 20, "AZ": 28, "BA": 20, "BE": 16, "BG": 22, "BH": 22, "BR": 29, "BY": 28, "CH": 21, "CR": 22, "CY": 28, "CZ": 24,
	"DE": 22, "DK": 18, "DO": 28, "EE": 20, "EG": 29, "ES": 24, "FI": 18, "FO": 18, "FR": 27, "GB": 22, "GE": 22, "GI": 23, "GL": 18, "GR": 27, "GT": 28,
	"HR": 21, "HU": 28, "IE": 22, "IL": 23, "IQ": 23, "IS": 26, "IT": 27, "JO": 30, "KW": 30, "KZ": 20, "LB": 28, "LC": 32, "LI": 21, "LT": 20, "LU": 20,
	"LV": 21, "LY": 25, "MC": 27, "MD": 24, "ME": 22, "MK": 19, "MR": 27, "MT": 31, "MU": 30, "NL": 18, "NO": 15, "PK": 24, "PL": 28, "PS": 29, "PT": 25,
	"QA": 29, "RO": 24, "RS": 22, "SA": 24, "SC": 31, "SE": 24, "SI": 19, "SK": 24, "SM": 27, "ST": 25, "SV": 28, "TL": 23, "TN": 24, "TR": 26, "UA": 29,
	"VA": 22, "VG": 24, "XK": 20,
}

func iban(b []byte) bool {
	s := strings.ToUpper(strings.ReplaceAll(string(b), " ", ""))
	if len(s) < 15 || len(s) > 34 || lengths[s[:2]] != len(s) {
		return false
	}
	rest := 0
	for _, c := range []byte(s[4:] + s[:4]) {
		switch {
		case c >= '0' && c <= '9':
			rest = (rest*10 + int(c-'0')) % 97
		case c >= 'A' && c <= 'Z':
			rest = (rest*100 + int(c-'A') + 10) % 97
		default:
			return false
		}
	}
	return rest == 1
}

const base58Digits = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"

func base58(b []byte) (*big.Int, bool) {
	n := new(big.Int)
	if len(b) == 0 || len(b) > 256 {
		return nil, false
	}
	for _, c := range b {
		i := strings.IndexByte(base58Digits, c)
		if i < 0 {
			return nil, false
		}
		n.Add(n.Mul(n, big.NewInt(58)), big.NewInt(int64(i)))
	}
	return n, true
}

func base58check(b []byte) bool {
	n, ok := base58(b)
	if !ok {
		return false
	}
	raw := n.Bytes()
	for _, c := range b {
		if c != '1' {
			break
		}
		raw = append([]byte{0}, raw...)
	}
	if len(raw) < 5 {
		return false
	}
	first := sha256.Sum256(raw[:len(raw)-4])
	second := sha256.Sum256(first[:])
	return bytes.Equal(second[:4], raw[len(raw)-4:])
}

// Base64 decodes either alphabet, padded or not.
func Base64(b []byte) ([]byte, bool) {
	b = bytes.TrimRight(b, "=")
	enc := base64.RawStdEncoding
	if bytes.ContainsAny(b, "-_") {
		enc = base64.RawURLEncoding
	}
	out := make([]byte, enc.DecodedLen(len(b)))
	n, err := enc.Decode(out, b)
	return out[:n], err == nil && n > 0
}

// JWT gives header and claims of a token; nil for what is none.
func JWT(b []byte) (header, claims map[string]any) {
	parts := bytes.SplitN(b, []byte("."), 4)
	if len(parts) < 2 {
		return nil, nil
	}
	var out [2]map[string]any
	for i := range out {
		raw, ok := Base64(parts[i])
		if !ok || json.Unmarshal(raw, &out[i]) != nil {
			return nil, nil
		}
	}
	return out[0], out[1]
}

func jwt(b []byte) bool {
	header, claims := JWT(b)
	alg, _ := header["alg"].(string)
	return claims != nil && alg != "" && !strings.EqualFold(alg, "none")
}

func base64JSON(b []byte) bool {
	raw, ok := Base64(b)
	var v map[string]any
	return ok && json.Unmarshal(raw, &v) == nil && len(v) > 0
}

func basicAuth(b []byte) bool {
	raw, ok := Base64(b)
	i := bytes.IndexByte(raw, ':')
	return ok && i > 0 && i < len(raw)-1 && !bytes.ContainsFunc(raw, func(r rune) bool { return r < ' ' || r == 0x7f || r == 0xfffd })
}

func has(b []byte, from, to byte) bool {
	for _, c := range b {
		if c >= from && c <= to {
			return true
		}
	}
	return false
}

func hexadecimal(b []byte) bool {
	for _, c := range b {
		if !(c >= '0' && c <= '9' || c|0x20 >= 'a' && c|0x20 <= 'f') {
			return false
		}
	}
	return len(b) > 0
}
