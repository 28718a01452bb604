package secret

import (
	"bytes"
	"strings"
	"sync"

	"bulwark/internal/lazyregexp"
)

// marks are what stands in values that are none, in lower case.
var marks = []string{"example", "placeholder", "changeme", "change-me", "change_me", "changeit", "replaceme", "replace_me", "replace-me", "replace_with", "insert_", "insert-",
	"your_", "your-", "yourkey", "yoursecret", "yourtoken", "yourpass", "yourapi", "my_secret", "my-secret", "mysecret", "notreal", "not-a-real", "fake", "dummy", "redacted", "foobar", "todo",
	"xxxx", "****", "....", "____", "----", "0000000000", "1111111", "aaaaaaa", "1234567890", "0123456789", "123456789a", "abcdefghij", "abcdef0123", "0123456789abcdef", "deadbeef",
	"lorem", "sample", "secret_key_here", "_here", "-here", "goes-here", "goes_here", "test_key", "<your", "enter_", "enter-your"}

// placeholder tells whether a value stands for one that somebody will fill in.
func placeholder(value []byte) bool {
	if variable(value) {
		return true
	}
	if bytes.HasPrefix(value, []byte("-----BEGIN")) {
		return len(value) < 110 || bytes.Contains(value, []byte("...")) || bytes.Contains(bytes.ToLower(value), []byte("xxxx"))
	}
	lower := bytes.ToLower(value)
	for _, m := range marks {
		if bytes.Contains(lower, []byte(m)) {
			return true
		}
	}
	return monotonous(lower)
}

// variable tells whether a value is filled in by the program that reads it: ${VAR}, $(cmd), {{ x }}, %s, <token>.
func variable(v []byte) bool {
	for _, s := range []string{"${", "$(", "{{", "}}", "<%", "%>", "#{", "%{", "@@", "%(", "$$", "[["} {
		if bytes.Contains(v, []byte(s)) {
			return true
		}
	}
	n := len(v)
	return n >= 2 && (v[0] == '<' && v[n-1] == '>' || v[0] == '[' && v[n-1] == ']' || v[0] == '%' && v[n-1] == '%' || v[0] == '{' && v[n-1] == '}') ||
		n >= 2 && v[0] == '$' && (isWord(v[1]) && !(v[1] >= '0' && v[1] <= '9'))
}

// monotonous: few different characters, or they go up or down in order.
func monotonous(lower []byte) bool {
	var seen [256]bool
	different, steps := 0, 0
	for i, c := range lower {
		if !seen[c] {
			seen[c] = true
			different++
		}
		if i > 0 && (c == lower[i-1] || c == lower[i-1]+1 || c+1 == lower[i-1]) {
			steps++
		}
	}
	n := len(lower)
	return n >= 8 && different <= 3 || n >= 12 && (different*5 < min(n, 40) || steps*2 > n)
}

// nouns are the words that a name of a secret ends in.
var nouns = sync.OnceValue(func() map[string]bool {
	return words("password passwd pwd pass passphrase passwort secret secrets token apikey apitoken authtoken accesstoken accesskey secretkey privatekey credential credentials auth userpass dbpass pw masterkey encryptionkey signingkey authkey appkey licensekey clientsecret appsecret salt rootpw")
})

// keyed are words that make a secret of a name that ends in "key".
var keyed = sync.OnceValue(func() map[string]bool {
	return words("api secret access private auth encryption encrypt signing sign master app service account storage license jwt hmac aes session cookie shared webhook admin")
})

// named tells whether a name is that of a secret: DB_PASSWORD, apiKey, client-secret, but
// not token_type or password-file.
func named(key string) bool {
	parts := split(key)
	for len(parts) > 1 && qualifiers()[parts[len(parts)-1]] {
		parts = parts[:len(parts)-1]
	}
	if len(parts) == 0 {
		return false
	}
	last := strings.TrimRight(parts[len(parts)-1], "0123456789")
	if last == "key" || last == "keys" {
		return len(parts) > 1 && keyed()[parts[len(parts)-2]]
	}
	if (last == "salt" || last == "auth" || last == "pass") && len(parts) == 1 {
		return last != "salt" && last != "auth"
	}
	if nouns()[last] {
		return true
	}
	for _, s := range []string{"password", "passwd", "secret", "token", "apikey", "passphrase"} {
		if strings.HasSuffix(last, s) {
			return true
		}
	}
	return false
}

// qualifiers may follow the noun.
var qualifiers = sync.OnceValue(func() map[string]bool {
	return words("value base64 b64 prod production dev development staging live default plain text string 1 2 3 old new current main primary secondary")
})

// split parts a name into its words, in lower case.
func split(name string) []string {
	var out []string
	start := 0
	cut := func(end int) {
		if end > start {
			out = append(out, strings.ToLower(name[start:end]))
		}
	}
	for i := range len(name) {
		c := name[i]
		switch {
		case c == '_' || c == '-' || c == '.':
			cut(i)
			start = i + 1
		case c >= 'A' && c <= 'Z' && i > start && name[i-1] >= 'a' && name[i-1] <= 'z':
			cut(i)
			start = i
		}
	}
	cut(len(name))
	return out
}

// nothings are values that say there is none, or what kind there is.
var nothings = sync.OnceValue(func() map[string]bool {
	return words("true false null none nil undefined yes no on off enabled disabled required optional default string password passwd secret token basic bearer oauth digest plain prompt ask stdin file env value text hidden unset empty user username admin-user integer number object array boolean changed unknown never always auto automatic any all random generate generated external vault keychain keyring internal md5 sha256 sha512 scram-sha-256 trust peer ident sufficient requisite include substack nullok")
})

var (
	reference = lazyregexp.New(`^(?:\.{0,2}/|~/|[a-zA-Z]:\\|https?://|file:|env:|vault:|arn:|ssm:|secretsmanager:|op://|ref\+|process\.env|os\.environ|os\.getenv|getenv|System\.|config\.|settings\.|self\.|this\.|ENV\[|data\.|var\.|local\.|module\.)`)
	word      = lazyregexp.New(`^(?:[a-z]+|[A-Z]+|[A-Z]?[a-z]+)(?:[_.\- :/][a-zA-Z]+)*[:.]?$`)
	camel     = lazyregexp.New(`^(?:[A-Z]?[a-z]{2,})(?:[A-Z][a-z]{2,}){1,6}$`)
	dated     = lazyregexp.New(`^(?:\d{4}-\d\d-\d\d|[~^=]*v?\d+(?:\.\d+)+[\w.+-]*|\d+|0x[0-9a-fA-F]+|#[0-9a-fA-F]+|sha\d+-.*)$`)
)

// worthy tells whether a value of no known form, given to that name, is worth a look.
func worthy(key string, value, line []byte) bool {
	if len(value) < 6 || len(value) > 160 || !named(key) || bytes.ContainsAny(value, "()<> \t\"'`;{}|") || !printable(value) {
		return false
	}
	if value[0] == '.' || nothings()[strings.ToLower(string(value))] || reference.Match(value) || dated.Match(value) {
		return false
	}
	if bytes.Contains(bytes.ToLower([]byte(key)), bytes.ToLower(value)) || value[len(value)-1] == ':' {
		return false
	}
	if word.Match(value) || camel.Match(value) {
		return len(value) >= 8 && environment(line, key) && !bytes.ContainsAny(value, "_.- :/") && !camel.Match(value)
	}
	return distinct(value) >= 5
}

// environment: NAME=value in capitals, as programs get their settings.
func environment(line []byte, key string) bool {
	return key == strings.ToUpper(key) && bytes.Contains(line, []byte(key+"="))
}

func distinct(b []byte) int {
	var seen [256]bool
	n := 0
	for _, c := range b {
		if !seen[c] {
			seen[c] = true
			n++
		}
	}
	return n
}

func printable(b []byte) bool {
	for _, c := range b {
		if c < ' ' || c >= 0x7f {
			return false
		}
	}
	return true
}
