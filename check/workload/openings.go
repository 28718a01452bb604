package workload

import (
	"net"
	"net/url"
	"strings"
)

// opening is a setting of a program that lets everybody in.
type opening struct {
	program string // that the command or image ends in; "" any
	flag    string // without dashes
	value   func(string) bool
	high    bool
	says    string
}

func is(values ...string) func(string) bool {
	return func(v string) bool {
		for _, want := range values {
			if strings.EqualFold(strings.Trim(v, `"'`), want) {
				return true
			}
		}
		return false
	}
}

func not(values ...string) func(string) bool {
	f := is(values...)
	return func(v string) bool { return v != "" && !f(v) }
}

func anything(string) bool { return true }

var openings = []opening{
	{"kubelet", "anonymous-auth", is("true"), true, "anybody runs commands in pods of the node"},
	{"kubelet", "authorization-mode", hasMode, true, "whoever logs in may run commands in pods of the node"},
	{"kubelet", "read-only-port", not("0"), false, "anybody reads what runs on the node"},
	{"etcd", "client-cert-auth", is("false"), false, "anybody who reaches it reads and writes all that is in it"},
	{"etcd", "listen-client-urls", plainURL, false, "anybody who reaches it reads and writes all that is in it"},
	{"kubectl", "accept-hosts", is(".*", "^.*$", "^*$"), true, "kubectl proxy gives its rights to everybody"},
	{"kubectl", "disable-filter", is("true", ""), true, "kubectl proxy gives its rights to everybody"},
	{"redis-server", "protected-mode", is("no"), false, "Redis without a password for everybody"},
	{"redis", "protected-mode", is("no"), false, "Redis without a password for everybody"},
	{"mongod", "noauth", anything, false, "MongoDB without authentication"},
	{"vault", "dev", anything, false, "Vault with a fixed root token and data in memory"},
	{"jupyter", "NotebookApp.token", is(""), true, "anybody runs code in the notebook"},
	{"jupyter", "ServerApp.token", is(""), true, "anybody runs code in the notebook"},
	{"jupyter", "IdentityProvider.token", is(""), true, "anybody runs code in the notebook"},
	{"notebook", "NotebookApp.token", is(""), true, "anybody runs code in the notebook"},
	{"notebook", "ServerApp.token", is(""), true, "anybody runs code in the notebook"},
	{"notebook", "IdentityProvider.token", is(""), true, "anybody runs code in the notebook"},
	{"code-server", "auth", is("none"), true, "anybody runs code in the editor"},
	{"cockroach", "insecure", is("", "true"), false, "the database without authentication and TLS"},
}

func hasMode(v string) bool { return strings.Contains(v, "AlwaysAllow") }

// plainURL tells whether one of the addresses is plain http to more than the loopback.
func plainURL(v string) bool {
	for s := range strings.SplitSeq(v, ",") {
		u, err := url.Parse(strings.TrimSpace(s))
		if err != nil || u.Scheme != "http" {
			continue
		}
		if ip := net.ParseIP(u.Hostname()); u.Hostname() != "localhost" && (ip == nil || !ip.IsLoopback()) {
			return true
		}
	}
	return false
}

// openVariables are variables of well-known images that let everybody in.
var openVariables = map[string]struct {
	value func(string) bool
	says  string
}{
	"MYSQL_ALLOW_EMPTY_PASSWORD": {not("", "no", "false", "0"), "root of the database has no password"}, "MARIADB_ALLOW_EMPTY_ROOT_PASSWORD": {not("", "no", "false", "0"), "root of the database has no password"},
	"POSTGRES_HOST_AUTH_METHOD": {is("trust"), "everybody is every user of the database"}, "ALLOW_EMPTY_PASSWORD": {is("yes", "true", "1"), "an empty password is taken"},
	"ALLOW_ANONYMOUS_LOGIN": {is("yes", "true", "1"), "everybody may log in"}, "NEO4J_AUTH": {is("none"), "the database asks nobody"}, "ARANGO_NO_AUTH": {is("1", "true"), "the database asks nobody"},
	"xpack.security.enabled": {is("false"), "Elasticsearch asks nobody"}, "DISABLE_SECURITY_PLUGIN": {is("true"), "OpenSearch asks nobody"}, "GF_AUTH_ANONYMOUS_ORG_ROLE": {is("Admin"), "everybody administers Grafana"},
	"AUTHENTICATION_ANONYMOUS_ACCESS_ENABLED": {is("true"), "everybody may query"}, "ME_CONFIG_BASICAUTH": {is("false"), "everybody administers MongoDB"},
}
