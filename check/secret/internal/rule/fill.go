package rule

import (
	"encoding/base64"
	"fmt"
	"math/rand/v2"
	"regexp"
	"strconv"
	"strings"

	"bulwark"
)

// alphabets are what templates draw from.
var alphabets = map[string]string{
	"base62":    base62Digits,
	"base58":    base58Digits,
	"base64":    base62Digits + "+/",
	"base64url": base62Digits + "-_",
	"base36":    "0123456789abcdefghijklmnopqrstuvwxyz",
	"upper36":   "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ",
	"base32":    "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567",
	"lower32":   "abcdefghijklmnopqrstuvwxyz234567",
	"hex":       "0123456789abcdef",
	"upperhex":  "0123456789ABCDEF",
	"digits":    "0123456789",
	"lower":     "abcdefghijklmnopqrstuvwxyz",
	"upper":     "ABCDEFGHIJKLMNOPQRSTUVWXYZ",
	"letters":   "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz",
}

var call = regexp.MustCompile(`\{\{([^{}]*)\}\}`)

// Fill makes a text of a template, so that no file holds what looks like a secret:
//
//	{{base62 30}}          random characters; also base58 base64 base64url base36 upper36 base32
//	                       lower32 hex upperhex digits lower upper letters
//	{{from AEIOU 5}}       random characters of those given
//	{{repeat x 12}}        the same one over again
//	{{crc32 base62 6}}     the CRC-32 of what the call before gave
//	{{luhn}}               the check digit of all digits since the start of the line
//	{{uuid}}               a random UUID
//	{{jwt}}                a token of HS256 with iss, sub, iat, exp (2030)
//	{{jwt expired}}        one that expired in 2020
//	{{pem rsa}}            a private key in PEM: rsa ec ed25519 pkcs8 openssh encrypted
//	{{iban DE 18}}         an account number with right check digits and 18 random digits
//	{{wif}}                a key in base 58 with its checksum
//	{{base64of NAME:x}}    base 64 of the text up to the braces; hexof, urlof likewise, of what is between
//	                       (calls inside are written with [[ ]]: {{base64of user:[[base62 20]]}})
//
// What is random comes from r alone, keys aside.
func Fill(template string, r *rand.Rand) (string, error) {
	var out strings.Builder
	var last string
	rest := template
	for {
		at := call.FindStringSubmatchIndex(rest)
		if at == nil {
			out.WriteString(rest)
			return out.String(), nil
		}
		out.WriteString(rest[:at[0]])
		text, err := expand(rest[at[2]:at[3]], out.String(), last, r)
		if err != nil {
			return "", fmt.Errorf("template %q: %w", template, err)
		}
		out.WriteString(text)
		last, rest = text, rest[at[1]:]
	}
}

// expand does one call. sofar is the text before it, last what the call before gave.
func expand(text, sofar, last string, r *rand.Rand) (string, error) {
	name, arg, _ := strings.Cut(text, " ")
	args := strings.Fields(arg)
	switch {
	case alphabets[name] != "" && len(args) == 1:
		return draw(alphabets[name], args[0], r)
	case name == "from" && len(args) == 2:
		return draw(args[0], args[1], r)
	case name == "repeat" && len(args) == 2:
		n, err := count(args[1])
		return strings.Repeat(args[0], n), err
	case name == "crc32" && len(args) == 2 && args[0] == "base62":
		n, err := count(args[1])
		return crcBase62([]byte(last), n), err
	case name == "luhn":
		return luhnDigit(sofar[strings.LastIndexByte(sofar, '\n')+1:]), nil
	case name == "uuid":
		return uuid(r), nil
	case name == "jwt":
		return newJWT(arg == "expired", r), nil
	case name == "pem":
		return newPEM(arg, r)
	case name == "iban" && len(args) == 2:
		return newIBAN(args[0], args[1], r)
	case name == "wif":
		return newWIF(r), nil
	case strings.HasSuffix(name, "of"):
		inner, err := Fill(strings.NewReplacer("[[", "{{", "]]", "}}").Replace(arg), r)
		if err != nil {
			return "", err
		}
		return encode(name, inner)
	}
	return "", fmt.Errorf("no such call {{%s}}: %w", text, bulwark.ErrMalformed)
}

func encode(name, s string) (string, error) {
	switch name {
	case "base64of":
		return base64.StdEncoding.EncodeToString([]byte(s)), nil
	case "hexof":
		return fmt.Sprintf("%x", s), nil
	case "urlof":
		var out strings.Builder
		for _, c := range []byte(s) {
			fmt.Fprintf(&out, "%%%02X", c)
		}
		return out.String(), nil
	}
	return "", fmt.Errorf("no such call {{%s}}: %w", name, bulwark.ErrMalformed)
}

func count(s string) (int, error) {
	n, err := strconv.Atoi(s)
	if err != nil || n < 0 || n > 1<<20 {
		return 0, fmt.Errorf("length %q: %w", s, bulwark.ErrMalformed)
	}
	return n, nil
}

func draw(alphabet, length string, r *rand.Rand) (string, error) {
	n, err := count(length)
	out := make([]byte, n)
	for i := range out {
		out[i] = alphabet[r.IntN(len(alphabet))]
	}
	return string(out), err
}

func uuid(r *rand.Rand) string {
	a, b := r.Uint64(), r.Uint64()
	return fmt.Sprintf("%08x-%04x-4%03x-a%03x-%012x", uint32(a), uint16(a>>32), a>>52, b&0xfff, b>>16)
}
