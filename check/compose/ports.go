package compose

import (
	"fmt"
	"strings"

	"bulwark"
	"bulwark/build/compose"
)

// trusting are services, by the port that they listen on in the container, that trust
// their network: data stores, and interfaces that control machines. High are those
// that by default ask nobody for a password, or give everything away.
var trusting = map[int]struct {
	what     string
	severity bulwark.Severity
}{
	22: {"SSH", medium}, 23: {"Telnet", high}, 21: {"FTP", medium}, 111: {"portmap", medium}, 389: {"LDAP", medium}, 445: {"SMB", high}, 512: {"rexec", high}, 513: {"rlogin", high}, 514: {"rsh", medium},
	873: {"rsync", medium}, 1433: {"SQL Server", medium}, 1521: {"Oracle", medium}, 2049: {"NFS", high}, 2181: {"ZooKeeper", high}, 2375: {"the Docker engine", critical}, 2376: {"the Docker engine", medium},
	2379: {"etcd", high}, 2380: {"etcd", high}, 3306: {"MySQL", medium}, 3389: {"RDP", medium}, 4369: {"Erlang port mapper", medium}, 5005: {"a Java debugger", high},
	5432: {"PostgreSQL", medium}, 5672: {"RabbitMQ", medium}, 5858: {"a Node.js debugger", high}, 5900: {"VNC", medium}, 5984: {"CouchDB", medium}, 6379: {"Redis", high}, 6443: {"the Kubernetes API", medium},
	7000: {"Cassandra", medium}, 7474: {"Neo4j", medium}, 7687: {"Neo4j", medium}, 8086: {"InfluxDB", medium}, 8123: {"ClickHouse", medium}, 8200: {"Vault", medium}, 8300: {"Consul", medium}, 8500: {"Consul", high},
	9000: {"", 0}, 9042: {"Cassandra", medium}, 9092: {"Kafka", medium}, 9200: {"Elasticsearch", high}, 9229: {"a Node.js debugger", high}, 9300: {"Elasticsearch", high}, 10250: {"the kubelet", high},
	11211: {"memcached", high}, 11434: {"Ollama", high}, 15672: {"RabbitMQ's administration", medium}, 19999: {"Netdata", medium}, 26257: {"CockroachDB", medium}, 27017: {"MongoDB", high}, 28015: {"RethinkDB", high}, 50070: {"Hadoop", high},
}

// consoles are administrators' pages, by a word in the name of the image, which listen on
// ports of no meaning.
var consoles = []struct{ word, what string }{
	{"selenium/", "Selenium"}, {"chromadb/chroma", "Chroma"}, {"phpmyadmin", "phpMyAdmin"}, {"adminer", "Adminer"}, {"pgadmin", "pgAdmin"}, {"mongo-express", "mongo-express"}, {"redis-commander", "Redis Commander"}, {"redisinsight", "RedisInsight"},
	{"portainer/portainer", "Portainer"}, {"kafka-ui", "Kafka UI"}, {"akhq", "AKHQ"}, {"dbgate", "DbGate"}, {"cloudbeaver", "CloudBeaver"},
}

// ports judges what is published on all interfaces.
func (j *judge) ports() {
	image, _ := j.Scalar("image")
	for _, p := range j.Ports() {
		if !p.Everywhere() || p.Protocol == "udp" {
			continue
		}
		what, severity := listener(image, &p)
		if what == "" {
			continue
		}
		f := j.finding(&publishedData, fmt.Sprintf("%d:%d", p.First, p.Target), p.At, "%s (port %d) is published on all interfaces%s", what, p.Target, published(&p))
		publishedData.Rate(f, severity)
		f.Fix.Patch = j.localOnly(&p)
		j.emit(f)
	}
}

// listener is what listens behind a port, and how bad it is to reach it; "" for what is
// meant to be reached.
func listener(image string, p *compose.Port) (string, bulwark.Severity) {
	for n := p.Target; n <= min(p.End, p.Target+1000); n++ {
		if t, ok := trusting[n]; ok && t.what != "" {
			return t.what, t.severity
		}
	}
	for _, c := range consoles {
		if strings.Contains(image, c.word) {
			return c.what, medium
		}
	}
	return "", 0
}

func published(p *compose.Port) string {
	switch {
	case p.First == 0 && strings.Contains(p.At.Text()+p.At.Get("published").Text(), "$"):
		return ", as a port that a variable names"
	case p.First == 0:
		return ", on a port of the engine's choice"
	case p.First == p.Last:
		return fmt.Sprintf(", as port %d", p.First)
	}
	return fmt.Sprintf(", as ports %d to %d", p.First, p.Last)
}

// localOnly is the patch that publishes to this machine alone.
func (j *judge) localOnly(p *compose.Port) *bulwark.Patch {
	text := p.At.Text()
	rest, explicit := strings.CutPrefix(text, "0.0.0.0:")
	switch {
	case !p.Short && p.HostIP == "0.0.0.0":
		return j.swap(p.At.Get("host_ip"), "127.0.0.1")
	case !p.Short || p.HostIP != "" && !explicit:
		return nil
	case p.First == 0 && !explicit && !strings.Contains(text, ":"):
		return j.swap(p.At, quoted("127.0.0.1::"+text))
	}
	return j.swap(p.At, quoted("127.0.0.1:"+rest))
}

// open are variables with which images turn authentication off, and the value that does;
// "": any but an empty one.
var open = map[string]string{
	"MYSQL_ALLOW_EMPTY_PASSWORD": "", "MARIADB_ALLOW_EMPTY_ROOT_PASSWORD": "", "MARIADB_ALLOW_EMPTY_PASSWORD": "yes", "ALLOW_EMPTY_PASSWORD": "yes", "ALLOW_ANONYMOUS_LOGIN": "yes", "ALLOW_PLAINTEXT_LISTENER": "yes",
	"POSTGRES_HOST_AUTH_METHOD": "trust", "xpack.security.enabled": "false", "DISABLE_SECURITY_PLUGIN": "true", "plugins.security.disabled": "true", "NEO4J_AUTH": "none", "ANONYMOUS_ACCESS": "true",
	"GF_AUTH_ANONYMOUS_ORG_ROLE": "Admin", "REDIS_ALLOW_EMPTY_PASSWORD": "yes", "INFLUXDB_HTTP_AUTH_ENABLED": "false", "AUTHENTICATION_ANONYMOUS_ACCESS_ENABLED": "true", "ME_CONFIG_BASICAUTH": "false", "VAULT_DEV_ROOT_TOKEN_ID": "",
}

// environment judges variables: authentication that is turned off, secrets that are
// written down.
func (j *judge) environment() {
	everywhere := false
	for _, p := range j.Ports() {
		everywhere = everywhere || p.Everywhere()
	}
	for _, v := range j.Variables("environment") {
		value, _ := compose.Expand(v.Value)
		off, known := open[v.Name]
		switch {
		case known && value != "" && (strings.EqualFold(off, value) || off == "" && !isNo(value)):
			shown := ": " + value
			if off == "" {
				shown = " is set"
			}
			f := j.finding(&noAuth, v.Name, v.At, "%s%s", v.Name, shown)
			if everywhere {
				noAuth.Rate(f, high)
			}
			j.emit(f)
		case v.Set && secretName(v.Name) && literal(v.Value):
			j.emit(j.finding(&envSecret, v.Name, v.At, "the value of %s stands in the file", v.Name))
		}
	}
	for _, v := range j.Variables("build", "args") {
		if v.Set && secretName(v.Name) && literal(v.Value) {
			j.emit(j.finding(&buildSecret, v.Name, v.At, "the build argument %s has its value in the file", v.Name))
		}
	}
}

func isNo(s string) bool {
	switch strings.ToLower(s) {
	case "no", "false", "0", "off":
		return true
	}
	return false
}
