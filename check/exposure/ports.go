package exposure

import (
	"path"
	"slices"
	"strings"
	"sync"

	"bulwark"
	"bulwark/kube"
)

// listener is something that trusts whoever reaches it, or that gives administrators their
// power.
type listener struct {
	what     string
	severity bulwark.Severity
}

// byPort are those that a port number alone tells. High are those that by default ask nobody
// for a password, or give everything away.
var byPort = map[int]listener{
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
	listener
	ports []int // that it listens on; none: any
}

var byImage = []program{
	{"kubernetesui/dashboard", listener{"the Kubernetes dashboard", high}, nil}, {"kubernetes-dashboard", listener{"the Kubernetes dashboard", high}, nil}, {"headlamp", listener{"Headlamp", medium}, nil},
	{"weaveworks/scope", listener{"Weave Scope, which runs commands in containers", critical}, nil}, {"kubeview", listener{"KubeView", medium}, nil}, {"tiller", listener{"Tiller, which installs what it is told to", critical}, nil},
	{"docker-dind", listener{"the Docker engine", critical}, []int{2375, 2376}}, {"etcd", listener{"etcd", high}, []int{2379, 2380}},
	{"phpmyadmin", listener{"phpMyAdmin", medium}, nil}, {"adminer", listener{"Adminer", medium}, nil}, {"pgadmin4", listener{"pgAdmin", medium}, nil}, {"mongo-express", listener{"mongo-express", high}, nil},
	{"redis-commander", listener{"Redis Commander", high}, nil}, {"redisinsight", listener{"RedisInsight", medium}, nil}, {"portainer-ce", listener{"Portainer", high}, nil}, {"portainer", listener{"Portainer", high}, nil},
	{"kafka-ui", listener{"Kafka UI", medium}, nil}, {"akhq", listener{"AKHQ", medium}, nil}, {"dbgate", listener{"DbGate", medium}, nil}, {"cloudbeaver", listener{"CloudBeaver", medium}, nil},
	{"prometheus", listener{"Prometheus, which asks nobody for a password", medium}, []int{9090, 9091}}, {"alertmanager", listener{"Alertmanager, which asks nobody for a password", medium}, []int{9093, 9094}}, {"thanos", listener{"Thanos", medium}, nil},
	{"kibana", listener{"Kibana", medium}, []int{5601}}, {"opensearch-dashboards", listener{"OpenSearch Dashboards", medium}, nil}, {"all-in-one", listener{"Jaeger", medium}, []int{16686, 14268}}, {"jaeger-query", listener{"Jaeger", medium}, nil},
	{"argocli", listener{"the server of Argo Workflows", high}, nil}, {"jenkins", listener{"Jenkins", medium}, nil}, {"airflow", listener{"Airflow", medium}, []int{8080, 5555}}, {"flower", listener{"Celery Flower", medium}, nil},
	{"jupyter", listener{"Jupyter, which runs code", high}, nil}, {"minimal-notebook", listener{"Jupyter, which runs code", high}, nil}, {"scipy-notebook", listener{"Jupyter, which runs code", high}, nil}, {"base-notebook", listener{"Jupyter, which runs code", high}, nil},
	{"tensorflow-notebook", listener{"Jupyter, which runs code", high}, nil}, {"jupyterhub", listener{"JupyterHub", medium}, nil}, {"zeppelin", listener{"Zeppelin, which runs code", high}, nil}, {"flink", listener{"Flink's dashboard, which runs what is uploaded", high}, []int{8081}},
	{"ray", listener{"Ray's dashboard, which runs jobs", critical}, []int{8265, 10001}}, {"spark", listener{"Spark", high}, []int{7077, 6066}}, {"spark-ui-proxy", listener{"Spark's dashboard", medium}, nil}, {"mlflow", listener{"MLflow", high}, []int{5000}}, {"hadoop", listener{"Hadoop", high}, []int{8088, 50070, 9870}},
	{"registry", listener{"a registry of images", medium}, []int{5000}}, {"vault", listener{"Vault", medium}, []int{8200}}, {"consul", listener{"Consul", high}, []int{8500, 8300}}, {"nomad", listener{"Nomad, which runs jobs", critical}, []int{4646}},
	{"traefik", listener{"Traefik's dashboard", medium}, []int{8080}}, {"haproxy", listener{"HAProxy's statistics", medium}, []int{8404, 1936}}, {"locust", listener{"Locust", medium}, []int{8089}}, {"selenium", listener{"Selenium, which drives browsers", high}, nil}, {"standalone-chrome", listener{"Selenium, which drives browsers", high}, nil},
	{"ollama", listener{"Ollama", high}, nil}, {"chroma", listener{"Chroma", medium}, []int{8000}}, {"qdrant", listener{"Qdrant", medium}, []int{6333, 6334}}, {"weaviate", listener{"Weaviate", medium}, []int{8080}}, {"milvus", listener{"Milvus", medium}, []int{19530}}, {"tritonserver", listener{"Triton, which loads models", medium}, []int{8000, 8001}},
	{"redis", listener{"Redis", high}, []int{6379}}, {"valkey", listener{"Valkey", high}, []int{6379}}, {"mysql", listener{"MySQL", medium}, []int{3306}}, {"mariadb", listener{"MariaDB", medium}, []int{3306}}, {"postgres", listener{"PostgreSQL", medium}, []int{5432}}, {"mongo", listener{"MongoDB", high}, []int{27017}},
	{"elasticsearch", listener{"Elasticsearch", high}, []int{9200, 9300}}, {"opensearch", listener{"OpenSearch", high}, []int{9200}}, {"memcached", listener{"memcached", high}, []int{11211}}, {"cassandra", listener{"Cassandra", medium}, []int{9042, 7000, 9160}},
	{"clickhouse-server", listener{"ClickHouse", medium}, []int{8123, 9000}}, {"influxdb", listener{"InfluxDB", medium}, []int{8086}}, {"neo4j", listener{"Neo4j", medium}, []int{7474, 7687}}, {"couchdb", listener{"CouchDB", medium}, []int{5984}}, {"cockroach", listener{"CockroachDB", medium}, []int{26257}},
	{"rethinkdb", listener{"RethinkDB, which asks nobody for a password", high}, []int{28015, 8080, 29015}}, {"arangodb", listener{"ArangoDB", medium}, []int{8529}}, {"rabbitmq", listener{"RabbitMQ", medium}, []int{5672, 15672}}, {"nats", listener{"NATS", medium}, []int{4222, 8222}}, {"solr", listener{"Solr", high}, []int{8983}},
	{"minio", listener{"MinIO", medium}, []int{9001}}, {"openssh-server", listener{"SSH", medium}, nil}, {"sshd", listener{"SSH", medium}, nil}, {"netdata", listener{"Netdata", medium}, []int{19999}}, {"cadvisor", listener{"cAdvisor", medium}, nil}, {"filebrowser", listener{"File Browser", medium}, nil},
}

// listening says what a container listens for on a port.
func listening(c *kube.Container, port int) (listener, bool) {
	name := kube.ImageName(c.Image)
	base, dir := path.Base(name), path.Base(path.Dir(name))
	for _, word := range [...]string{dir + "/" + base, base, dir} {
		if p := byWord()[word]; p != nil && (len(p.ports) == 0 || slices.Contains(p.ports, port)) {
			return p.listener, true
		}
	}
	return listener{}, false
}

var byWord = sync.OnceValue(func() map[string]*program {
	m := map[string]*program{}
	for i := range byImage {
		m[byImage[i].word] = &byImage[i]
	}
	return m
})

// sensitive says what a port of a Service leads to, by the programs behind it, else by its
// number; and whose container that is.
func sensitive(p *servicePort, behind []*kube.Workload) (l listener, by string, ok bool) {
	for _, w := range behind {
		for i := range w.Containers {
			c := &w.Containers[i]
			if c.Init && !c.Sidecar() || !mayListen(c, p) {
				continue
			}
			if l, ok := listening(c, targetOf(c, p)); ok {
				return l, " in " + w.ID(), true
			}
		}
	}
	if len(behind) > 0 {
		by = " in " + behind[0].ID()
	}
	if l, ok := byPort[p.number]; ok {
		return l, by, true
	}
	if l, ok := byPort[p.target]; ok {
		return l, by, true
	}
	return listener{}, "", false
}

// mayListen tells whether a container is the one that a Service's port leads to: of several
// the one that declares it.
func mayListen(c *kube.Container, p *servicePort) bool {
	if len(c.Ports) == 0 {
		return true
	}
	for _, port := range c.Ports {
		if int(port.ContainerPort) == p.target || p.name != "" && port.Name == p.name {
			return true
		}
	}
	return false
}

// targetOf is the number of the port in the container.
func targetOf(c *kube.Container, p *servicePort) int {
	for _, port := range c.Ports {
		if p.name != "" && port.Name == p.name {
			return int(port.ContainerPort)
		}
	}
	return p.target
}

// lower is one step less severe.
func lower(s bulwark.Severity) bulwark.Severity {
	if s > low {
		return s - 1
	}
	return s
}

// internalOnly tells whether a load balancer says that it is for the inside.
func internalOnly(o *kube.Object) bool {
	for name, value := range o.Annotations {
		v := strings.ToLower(value)
		switch name {
		case "service.beta.kubernetes.io/aws-load-balancer-internal", "service.beta.kubernetes.io/azure-load-balancer-internal", "service.beta.kubernetes.io/openstack-internal-load-balancer":
			if v != "false" && v != "" {
				return true
			}
		case "service.beta.kubernetes.io/aws-load-balancer-scheme", "alb.ingress.kubernetes.io/scheme", "networking.gke.io/load-balancer-type", "cloud.google.com/load-balancer-type":
			if v == "internal" {
				return true
			}
		case "service.beta.kubernetes.io/oci-load-balancer-internal", "service.kubernetes.io/ibm-load-balancer-cloud-provider-ip-type", "service.beta.kubernetes.io/alibaba-cloud-loadbalancer-address-type":
			if v == "true" || v == "private" || v == "intranet" {
				return true
			}
		}
	}
	return false
}
