package image

import "strings"

// secretWords make a variable's name sound like a secret, as a word of it.
var secretWords = map[string]bool{
	"PASSWORD": true, "PASSWD": true, "PASSPHRASE": true, "PASS": true, "PWD": true, "SECRET": true, "TOKEN": true,
	"APIKEY": true, "CREDENTIAL": true, "CREDENTIALS": true, "PASSCODE": true,
}

// secretPairs do so as two words.
var secretPairs = []string{"API_KEY", "ACCESS_KEY", "PRIVATE_KEY", "SECRET_KEY", "ENCRYPTION_KEY", "SIGNING_KEY", "MASTER_KEY", "AUTH_KEY"}

// notSecret are last words that say where or how, not what.
var notSecret = map[string]bool{
	"FILE": true, "PATH": true, "DIR": true, "URL": true, "URI": true, "ID": true, "NAME": true, "TTL": true, "EXPIRY": true, "EXPIRATION": true,
	"LENGTH": true, "TYPE": true, "ALGORITHM": true, "ENDPOINT": true, "HEADER": true, "TIMEOUT": true, "ENABLED": true, "POLICY": true,
	"SOURCE": true, "PREFIX": true, "LIFETIME": true, "HASH": true, "LIMIT": true, "REQUIRED": true, "VERSION": true, "ISSUER": true, "COUNT": true,
	"MODE": true, "PUBLIC": true, "USERNAME": true, "USER": true, "STORE": true, "PLUGIN": true, "MANAGER": true, "SALT": true, "MIN": true, "MAX": true,
}

// secretName tells whether a variable's name says that its value is a secret.
func secretName(name string) bool {
	name = strings.ToUpper(strings.Map(func(r rune) rune {
		if r == '-' || r == '.' {
			return '_'
		}
		return r
	}, name))
	words := strings.Split(name, "_")
	last := words[len(words)-1]
	if name == "PWD" || name == "OLDPWD" || notSecret[last] || strings.HasPrefix(name, "ALLOW_") || strings.HasPrefix(name, "DISABLE_") {
		return false
	}
	for _, w := range words {
		if secretWords[w] || strings.HasSuffix(w, "PASSWORD") {
			return true
		}
	}
	for _, p := range secretPairs {
		if name == p || strings.HasSuffix(name, "_"+p) || strings.HasPrefix(name, p+"_") {
			return true
		}
	}
	return false
}

// guessed are values that are tried first and that look like placeholders, which the
// check of secrets leaves alone.
var guessed = map[string]bool{
	"password": true, "changeme": true, "change-me": true, "change_me": true, "changeit": true, "mysecretpassword": true, "my-secret-pw": true, "example1": true, "12345678": true, "123456789": true,
}

// weak tells whether a value is a password that somebody would guess: so short or plain
// that the check of secrets does not take it for one. References and switches are none.
func weak(value string) bool {
	v := strings.ToLower(strings.Trim(value, `"'`))
	switch v {
	case "", "true", "false", "yes", "no", "on", "off", "none", "null", "nil", "unset", "random", "file", "md5", "sha256", "auto", "scram":
		return false
	}
	if strings.ContainsAny(v, "$/<>{}%*") {
		return false
	}
	if digits(v) {
		return len(v) >= 4 && len(v) <= 9
	}
	plain := strings.Trim(v, "abcdefghijklmnopqrstuvwxyz") == ""
	return guessed[v] || len(v) < 6 || plain && len(v) < 8
}

func digits(s string) bool { return s != "" && strings.Trim(s, "0123456789") == "" }
