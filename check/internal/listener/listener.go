// Package listener knows what databases, dashboards and the like listen on: what trusts
// whoever reaches it, or gives administrators their power.
package listener

import (
	"path"
	"slices"
	"sync"

	"bulwark"
	"bulwark/kube"
)

const (
	medium   = bulwark.SeverityMedium
	high     = bulwark.SeverityHigh
	critical = bulwark.SeverityCritical
)

// Listener is something that trusts whoever reaches it, or that gives administrators their
// power.
type Listener struct {
	What     string
	Severity bulwark.Severity
}

// ByPort are those that a port number alone tells. High are those that by default ask nobody
// for a password, or give everything away.
var ByPort = map[int]Listener{
	21: {"FTP", medium}, 23: {"Telnet", high}, 111: {"the port mapper of RPC", medium}, 135: {"the RPC of Windows", medium}, 139: {"SMB", high}, 389: {"LDAP", medium}, 445: {"SMB", high},
	1099: {"Java's RMI and JMX, which run what they are sent", high}, 2746: {"the server of Argo Workflows", high}, 4194: {"cAdvisor", medium}, 5672: {"AMQP", medium}, 5985: {"WinRM", medium}, 5986: {"WinRM", medium},
	7474: {"Neo4j", medium}, 7687: {"Neo4j", medium}, 8086: {"InfluxDB", medium}, 8500: {"Consul", high}, 9870: {"Hadoop", high}, 28015: {"RethinkDB, which asks nobody for a password", high}, 61616: {"ActiveMQ", medium},
	512: {"rexec", high}, 513: {"rlogin", high}, 873: {"rsync", medium}, 1433: {"SQL Server", medium}, 1521: {"Oracle's database", medium}, 2049: {"NFS", high}, 2181: {"ZooKeeper", high},
	2375: {"the Docker engine", critical}, 2376: {"the Docker engine", medium}, 2379: {"etcd", high}, 2380: {"etcd", high}, 3306: {"MySQL", medium}, 3389: {"RDP", medium}, 4369: {"the port mapper of Erlang", medium},
	5005: {"a debugger of Java", high}, 5432: {"PostgreSQL", medium}, 5601: {"Kibana", medium}, 5858: {"a debugger of Node.js", high}, 5900: {"VNC", medium}, 5984: {"CouchDB", medium}, 6066: {"Spark's submission", high}, 6379: {"Redis", high},
	7077: {"Spark's master", high}, 8265: {"Ray's dashboard, which runs jobs", critical}, 9042: {"Cassandra", medium}, 9092: {"Kafka", medium}, 9200: {"Elasticsearch", high}, 9229: {"a debugger of Node.js", high}, 9300: {"Elasticsearch", high},
	10250: {"the kubelet", high}, 10255: {"the kubelet's port without authentication", high}, 10257: {"the controller manager", medium}, 10259: {"the scheduler", medium}, 11211: {"memcached", high}, 11434: {"Ollama", high},
	15672: {"RabbitMQ's administration", medium}, 26257: {"CockroachDB", medium}, 27017: {"MongoDB", high}, 27018: {"MongoDB", high}, 44134: {"Tiller, which installs what it is told to", critical}, 50070: {"Hadoop", high},
}

// program is what an image is known to run, by the last part of its name or the part
// before it.
type program struct {
	word string
	Listener
	ports []int // that it listens on; none: any
}

var byImage = []program{
	{"kubernetesui/dashboard", Listener{"the Kubernetes dashboard", high}, nil}, {"kubernetes-dashboard", Listener{"the Kubernetes dashboard", high}, nil}, {"headlamp", Listener{"Headlamp", medium}, nil},
	{"weaveworks/scope", Listener{"Weave Scope, which runs commands in containers", critical}, nil}, {"kubeview", Listener{"KubeView", medium}, nil}, {"tiller", Listener{"Tiller, which installs what it is told to", critical}, nil},
	{"docker-dind", Listener{"the Docker engine", critical}, []int{2375, 2376}}, {"etcd", Listener{"etcd", high}, []int{2379, 2380}},
	{"phpmyadmin", Listener{"phpMyAdmin", medium}, nil}, {"adminer", Listener{"Adminer", medium}, nil}, {"pgadmin4", Listener{"pgAdmin", medium}, nil}, {"mongo-express", Listener{"mongo-express", high}, nil},
	{"redis-commander", Listener{"Redis Commander", high}, nil}, {"redisinsight", Listener{"RedisInsight", medium}, nil}, {"portainer-ce", Listener{"Portainer", high}, nil}, {"portainer", Listener{"Portainer", high}, nil},
	{"kafka-ui", Listener{"Kafka UI", medium}, nil}, {"akhq", Listener{"AKHQ", medium}, nil}, {"dbgate", Listener{"DbGate", medium}, nil}, {"cloudbeaver", Listener{"CloudBeaver", medium}, nil},
	{"prometheus", Listener{"Prometheus, which asks nobody for a password", medium}, []int{9090, 9091}}, {"alertmanager", Listener{"Alertmanager, which asks nobody for a password", medium}, []int{9093, 9094}}, {"thanos", Listener{"Thanos", medium}, nil},
	{"kibana", Listener{"Kibana", medium}, []int{5601}}, {"opensearch-dashboards", Listener{"OpenSearch Dashboards", medium}, nil}, {"all-in-one", Listener{"Jaeger", medium}, []int{16686, 14268}}, {"jaeger-query", Listener{"Jaeger", medium}, nil},
	{"argocli", Listener{"the server of Argo Workflows", high}, nil}, {"jenkins", Listener{"Jenkins", medium}, nil}, {"airflow", Listener{"Airflow", medium}, []int{8080, 5555}}, {"flower", Listener{"Celery Flower", medium}, nil},
	{"jupyter", Listener{"Jupyter, which runs code", high}, nil}, {"minimal-notebook", Listener{"Jupyter, which runs code", high}, nil}, {"scipy-notebook", Listener{"Jupyter, which runs code", high}, nil}, {"base-notebook", Listener{"Jupyter, which runs code", high}, nil},
	{"tensorflow-notebook", Listener{"Jupyter, which runs code", high}, nil}, {"jupyterhub", Listener{"JupyterHub", medium}, nil}, {"zeppelin", Listener{"Zeppelin, which runs code", high}, nil}, {"flink", Listener{"Flink's dashboard, which runs what is uploaded", high}, []int{8081}},
	{"ray", Listener{"Ray's dashboard, which runs jobs", critical}, []int{8265, 10001}}, {"spark", Listener{"Spark", high}, []int{7077, 6066}}, {"spark-ui-proxy", Listener{"Spark's dashboard", medium}, nil}, {"mlflow", Listener{"MLflow", high}, []int{5000}}, {"hadoop", Listener{"Hadoop", high}, []int{8088, 50070, 9870}},
	{"registry", Listener{"a registry of images", medium}, []int{5000}}, {"vault", Listener{"Vault", medium}, []int{8200}}, {"consul", Listener{"Consul", high}, []int{8500, 8300}}, {"nomad", Listener{"Nomad, which runs jobs", critical}, []int{4646}},
	{"traefik", Listener{"Traefik's dashboard", medium}, []int{8080}}, {"haproxy", Listener{"HAProxy's statistics", medium}, []int{8404, 1936}}, {"locust", Listener{"Locust", medium}, []int{8089}}, {"selenium", Listener{"Selenium, which drives browsers", high}, nil}, {"standalone-chrome", Listener{"Selenium, which drives browsers", high}, nil},
	{"ollama", Listener{"Ollama", high}, nil}, {"chroma", Listener{"Chroma", medium}, []int{8000}}, {"qdrant", Listener{"Qdrant", medium}, []int{6333, 6334}}, {"weaviate", Listener{"Weaviate", medium}, []int{8080}}, {"milvus", Listener{"Milvus", medium}, []int{19530}}, {"tritonserver", Listener{"Triton, which loads models", medium}, []int{8000, 8001}},
	{"redis", Listener{"Redis", high}, []int{6379}}, {"valkey", Listener{"Valkey", high}, []int{6379}}, {"mysql", Listener{"MySQL", medium}, []int{3306}}, {"mariadb", Listener{"MariaDB", medium}, []int{3306}}, {"postgres", Listener{"PostgreSQL", medium}, []int{5432}}, {"mongo", Listener{"MongoDB", high}, []int{27017}},
	{"elasticsearch", Listener{"Elasticsearch", high}, []int{9200, 9300}}, {"opensearch", Listener{"OpenSearch", high}, []int{9200}}, {"memcached", Listener{"memcached", high}, []int{11211}}, {"cassandra", Listener{"Cassandra", medium}, []int{9042, 7000, 9160}},
	{"clickhouse-server", Listener{"ClickHouse", medium}, []int{8123, 9000}}, {"influxdb", Listener{"InfluxDB", medium}, []int{8086}}, {"neo4j", Listener{"Neo4j", medium}, []int{7474, 7687}}, {"couchdb", Listener{"CouchDB", medium}, []int{5984}}, {"cockroach", Listener{"CockroachDB", medium}, []int{26257}},
	{"rethinkdb", Listener{"RethinkDB, which asks nobody for a password", high}, []int{28015, 8080, 29015}}, {"arangodb", Listener{"ArangoDB", medium}, []int{8529}}, {"rabbitmq", Listener{"RabbitMQ", medium}, []int{5672, 15672}}, {"nats", Listener{"NATS", medium}, []int{4222, 8222}}, {"solr", Listener{"Solr", high}, []int{8983}},
	{"minio", Listener{"MinIO", medium}, []int{9001}}, {"openssh-server", Listener{"SSH", medium}, nil}, {"sshd", Listener{"SSH", medium}, nil}, {"netdata", Listener{"Netdata", medium}, []int{19999}}, {"cadvisor", Listener{"cAdvisor", medium}, nil}, {"filebrowser", Listener{"File Browser", medium}, nil},
}

// Of says what a container listens for on a port.
func Of(c *kube.Container, port int) (Listener, bool) {
	name := kube.ImageName(c.Image)
	base, dir := path.Base(name), path.Base(path.Dir(name))
	for _, word := range [...]string{dir + "/" + base, base, dir} {
		if p := byWord()[word]; p != nil && (len(p.ports) == 0 || slices.Contains(p.ports, port)) {
			return p.Listener, true
		}
	}
	return Listener{}, false
}

var byWord = sync.OnceValue(func() map[string]*program {
	m := map[string]*program{}
	for i := range byImage {
		m[byImage[i].word] = &byImage[i]
	}
	return m
})
