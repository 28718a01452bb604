package soak

import "bulwark/test/runtime/lab"

// image is what all of them run.
const image = "bulwark-soak:1"

// service is a container, and how often there is one.
type service struct {
	name    string
	count   int
	options lab.Options
	command []string
	again   bool // it ends, and another one begins
}

func shell(text string) []string { return []string{"/bin/sh", "-c", text} }

const (
	asPostgres = "setpriv --reuid=postgres --regid=postgres --init-groups "
	postgres   = "install -d -o postgres -g postgres -m 2775 /var/run/postgresql && exec " + asPostgres + "/usr/lib/postgresql/15/bin/postgres -D /var/lib/postgresql/15/main -c config_file=/etc/postgresql/15/main/postgresql.conf"
	askSQL     = asPostgres + "psql -Atc 'create table if not exists t (n int); insert into t values (1); select count(*) from t'"
)

// services are what runs everywhere: web servers, databases, caches, proxies, jobs by the clock, installations while an
// image is built, and scripts that work on files. CONFIG is the folder of the files below.
func services() []service {
	return []service{
		{name: "nginx", count: 4, command: []string{"nginx", "-g", "daemon off;"}, options: lab.Options{Health: "curl -fsS http://127.0.0.1/ > /dev/null"}},
		{name: "nginx by a script", count: 1, command: shell("for f in /docker-entrypoint.d/*.sh; do . $f; done; sed -e 's/html;/html;/' /etc/nginx/sites-available/default > /tmp/default && cp /tmp/default /etc/nginx/sites-available/default && exec nginx -g 'daemon off;'"),
			options: lab.Options{Health: "curl -fsS http://127.0.0.1/ > /dev/null", Mounts: []string{"CONFIG/entry.sh:/docker-entrypoint.d/10-entry.sh:ro"}}},
		{name: "apache", count: 3, command: []string{"apachectl", "-D", "FOREGROUND"}, options: lab.Options{Health: "curl -fsS http://127.0.0.1/ > /dev/null"}},
		{name: "redis", count: 3, command: []string{"redis-server", "--save", "20", "1"}, options: lab.Options{Health: "redis-cli incr n"}},
		{name: "postgres", count: 3, command: shell(postgres), options: lab.Options{Health: "pg_isready -q && " + askSQL}},
		{name: "mariadb", count: 3, command: shell("install -d -o mysql -g mysql /run/mysqld && exec mariadbd --user=mysql"), options: lab.Options{Health: "mariadb-admin ping && mariadb -e 'select count(*) from mysql.user'"}},
		{name: "memcached", count: 2, command: []string{"memcached", "-u", "nobody"}, options: lab.Options{Health: `python3 -c "import socket; s = socket.create_connection(('127.0.0.1', 11211)); s.sendall(b'stats\r\n'); s.recv(100)"`}},
		{name: "haproxy", count: 2, command: []string{"haproxy", "-W", "-db", "-f", "/etc/haproxy/haproxy.cfg"}, options: lab.Options{Health: "curl -fsS http://127.0.0.1:8080/ > /dev/null", Mounts: []string{"CONFIG/haproxy.cfg:/etc/haproxy/haproxy.cfg:ro"}}},
		{name: "cron", count: 3, command: []string{"cron", "-f"}, options: lab.Options{Health: "pgrep cron", Mounts: []string{"CONFIG/cron:/etc/cron.d/work:ro", "CONFIG/rotate:/etc/logrotate.d/work:ro"}}},
		{name: "python", count: 2, command: []string{"python3", "-m", "http.server", "8000"}, options: lab.Options{Health: "curl -fsS http://127.0.0.1:8000/ > /dev/null"}},
		{name: "backup", count: 1, command: shell("while sleep 20; do tar -czf /var/backups/data.tgz /var/www /srv && gzip -t /var/backups/data.tgz && mv /var/backups/data.tgz /var/backups/data.$(date +%s).tgz; find /var/backups -name 'data.*' -mmin +1 -delete; done")},
		{name: "reports", count: 1, command: shell("while sleep 10; do find /usr/share -type f | sed 's/.*[.]//' | sort | uniq -c | sort -rn | head -n 20 > /tmp/report.new && mv /tmp/report.new /tmp/report; done")},
		{name: "installation", count: 1, again: true, command: shell("apt-get install -y --no-install-recommends /srv/debs/*.deb && adduser --system --group app && rm -rf /var/lib/apt/lists/* /var/cache/apt/* && tree --version")},
		{name: "compilation", count: 1, again: true, command: shell("cp -r /usr/lib/python3/dist-packages /tmp/lib; python3 -m compileall -q /tmp/lib /usr/lib/python3.11/json && rm -r /tmp/lib")},
	}
}

// files are what is mounted into them.
var files = map[string]string{
	"entry.sh":    "export WORKERS=$(nproc)\n",
	"haproxy.cfg": "defaults\n  mode http\n  timeout connect 5s\n  timeout client 10s\n  timeout server 10s\nfrontend web\n  bind :8080\n  http-request return status 200 content-type text/plain string ok\n",
	"cron": "* * * * * root find /usr/share/doc -name '*.gz' | wc -l >> /var/log/work.log 2>&1\n" +
		"* * * * * www-data id > /dev/null; date > /tmp/stamp\n*/2 * * * * root /usr/sbin/logrotate -f /etc/logrotate.d/work\n",
	"rotate": "/var/log/work.log {\n  rotate 3\n  compress\n  missingok\n  copytruncate\n}\n",
}
