// Package shell finds shells that somebody else has the other end of, shells and tools where servers run, and people
// who come into containers.
package shell

import (
	"strings"
	"time"

	"bulwark"
	"bulwark/detect/internal/family"
	"bulwark/detect/internal/who"
)

// New makes the family.
func New() *family.Family {
	return family.New("shell", "Finds reverse shells, shells of servers, and tools of intruders.", append(shells(), tools()...))
}

const fixFrozen = "Freeze the container, keep its files and memory, and look for the request or login that began it."

var began = bulwark.Where{Failed: bulwark.No}
var beganInside = bulwark.Where{Container: bulwark.Yes, Failed: bulwark.No}

func shells() []family.Rule {
	return []family.Rule{
		{Name: "reverse-shell", Title: "A shell reads its commands from the network", Severity: bulwark.SeverityCritical, Tags: []string{"attack:T1059.004", "attack:T1071"}, References: []string{"https://attack.mitre.org/techniques/T1059/004/"},
			Why:   "Input and output of the shell are a connection: whoever is at its other end gives commands. Critical where that is seen, as no service works so; high where only the command line says so.",
			Noise: "Old services that inetd starts with their connection as input, if they are scripts.",
			Fix:   fixFrozen, Every: time.Minute,
			Looks: []family.Look{
				{Kinds: family.Execs, Where: began, If: func(h *family.Hit) bool {
					return network(h.P.Stdio[0]) && (network(h.P.Stdio[1]) || network(h.P.Stdio[2])) && (who.Is(h.P, who.Shells) || who.Is(h.P, who.Interpreters)) && !socketActivated(h.P)
				}, Do: func(h *family.Hit) { h.Tell("shell", "its input and output are a socket") }},
				{Kinds: "dup2 dup3", Where: began, If: redirected, Do: func(h *family.Hit) {
					h.Tell("shell", "its standard streams become the connection to "+h.FD.Remote.String())
				}},
				{Kinds: family.Execs, Where: began, If: func(h *family.Hit) bool { return asksForReverse(h.P) }, Do: func(h *family.Hit) {
					h.TellAs(bulwark.SeverityHigh, "shell", "the command line asks for it")
				}},
			}},
		{Name: "server-shell", Title: "A server starts a shell", Severity: bulwark.SeverityHigh, Tags: []string{"attack:T1190", "attack:T1505.003", "attack:T1059.004"}, References: []string{"https://attack.mitre.org/techniques/T1190/"},
			Why:   "Web servers, caches and databases do not run commands; one that does was made to by a request. Of servers that run programs of their own (PHP, Java, Node, PostgreSQL) only commands that explore or fetch count. High: it is the first thing that follows a hole.",
			Noise: "Applications that call such commands by a shell themselves: wget of a file, whoami.",
			Fix:   fixFrozen + " Update the server.", Every: time.Minute,
			Looks: []family.Look{{Kinds: family.Execs, Where: began, If: byServer}}},
		{Name: "terminal", Title: "Somebody opened a shell in a running container", Severity: bulwark.SeverityLow, Tags: []string{"attack:T1609", "attack:T1059.004"}, References: []string{"https://attack.mitre.org/techniques/T1609/"},
			Why:   "docker exec or kubectl exec brought in a shell with a terminal, or one that waits for commands. Low, because people look into containers to mend them; whoever may not should not have the right.",
			Noise: "People at work. Health checks run single commands and are not told, nor are containers of CI and editors.",
			Fix:   "Take away the right to create pods/exec from who needs it not, and debug by ephemeral containers.", Every: 10 * time.Minute,
			Looks: []family.Look{{Kinds: family.Execs, Where: beganInside, If: func(h *family.Hit) bool {
				return who.Is(h.P, who.Shells) && who.Entered(h.P) && !who.First(h.P) && !who.Workshop(h.C) && (h.P.TTY != 0 || len(h.P.Args) == 0 || len(h.P.Args) == 1 && strings.Trim(h.P.Args[0], "-il") == "")
			}, Do: func(h *family.Hit) { h.Tell("shell") }}}},
	}
}

func network(k bulwark.FDKind) bool { return k == bulwark.FDIPv4 || k == bulwark.FDIPv6 }

// socketActivated tells whether a superserver began the program with its connection as input: agents of monitoring are often
// such scripts. systemd does it itself, as the parent.
func socketActivated(p *bulwark.Process) bool {
	return who.Above(p, superservers) != nil || p.Container == nil && p.Parent != nil && who.Trusted(p.Parent, who.Names("systemd systemd-executor"))
}

var superservers = who.Names("inetd xinetd tcpsvd tcpserver systemd-socket-activate")

// redirected tells whether a standard stream of a shell or an interpreter becomes a connection that was made, not taken.
func redirected(h *family.Hit) bool {
	to := h.Num("newfd")
	if h.Kind.String() == "dup2" && to == 0 || to == 0 && h.Result > 0 {
		to = h.Result
	}
	if to > 2 || !network(h.FD.Kind) || h.FD.Server || !h.FD.Connected && !h.FD.Remote.IsValid() {
		return false
	}
	return who.Is(h.P, who.Shells) || who.Is(h.P, who.Interpreters) || who.Is(h.P, who.Connectors)
}

// asksForReverse tells whether a command line is one of those that connect a shell.
func asksForReverse(p *bulwark.Process) bool {
	line := " " + strings.Join(p.Args, " ") + " "
	switch {
	case who.Is(p, who.Shells):
		if strings.Contains(line, "/dev/tcp/") || strings.Contains(line, "/dev/udp/") {
			return strings.Contains(line, "sh -i") || strings.Contains(line, "0>&1") || strings.Contains(line, "0<&") || strings.Contains(line, "<&1")
		}
		return strings.Contains(line, "mkfifo ") && strings.Contains(line, "nc ") && strings.Contains(line, "sh ")
	case who.Is(p, who.Names("nc ncat netcat")):
		return strings.Contains(line, " -e ") || strings.Contains(line, " --exec ") || strings.Contains(line, " --sh-exec ") || strings.Contains(line, " -c /bin/") || strings.Contains(line, " -c sh ") || strings.Contains(line, " -c bash ")
	case who.Is(p, who.Names("socat")):
		low := strings.ToLower(line)
		return strings.Contains(low, "exec:") && strings.Contains(low, "sh") && (strings.Contains(low, "tcp") || strings.Contains(low, "openssl") || strings.Contains(low, "udp"))
	case who.Is(p, who.Interpreters):
		return strings.Contains(strings.ToLower(line), "socket") && (strings.Contains(line, "/bin/sh") || strings.Contains(line, "/bin/bash") || strings.Contains(line, "'sh'") || strings.Contains(line, `"sh"`) || strings.Contains(line, "pty.spawn")) ||
			strings.Contains(line, "fsockopen(") && strings.Contains(line, "exec(")
	}
	return false
}

var (
	// quiet servers never run commands.
	quiet = who.Names("nginx openresty redis-server valkey-server memcached mongod mongos mysqld mariadbd haproxy envoy caddy traefik unbound named coredns etcd vsftpd proftpd slapd sqlservr squid influxd mosquitto nats-server minio rabbitmq-server")
	// busy ones do, of their own.
	busy = who.Names("httpd apache php-fpm php-cgi java node nodejs gunicorn uwsgi postgres puma unicorn passenger ruby php python tomcat catalina dotnet w3wp exim4 exim smtpd smbd winbindd perl lighttpd varnishd beam.smp")
)

// explores are commands with which an intruder begins.
var explores = who.Names("whoami id uname hostname ifconfig netstat ss ps env printenv lscpu last w arp route nslookup dig nmap")

// telltales are in command lines that explore, fetch or hide.
var telltales = []string{
	"/etc/passwd", "/etc/shadow", "/dev/tcp/", "base64 -d", "base64 --decode", "|sh", "| sh", "|bash", "| bash", "bash -i", "chmod +x", "chmod 777", "/.ssh/", "serviceaccount/token",
	"169.254.169.254", "nc -", "mkfifo", "uname -a", "whoami", "wget http", "curl http", "curl -s", "/proc/1/", "crontab", "/dev/shm/", "history -c", "sh -i", "cat /proc/", "ifconfig", "netstat -", "docker.sock",
}

// byServer tells whether a shell, or a tool that explores, is the child of a server that has no use for it.
func byServer(h *family.Hit) bool {
	p, q := h.P, h.P.Parent
	if q == nil || !who.Together(p, q) || who.Builds(p) {
		return false
	}
	isShell := who.Is(p, who.Shells)
	if who.Is(q, quiet) && strings.Contains(strings.Join(p.Args, " "), "wsrep_sst_") && who.Is(q, who.Names("mysqld mariadbd")) {
		return false // a cluster of databases copies itself to a new member so
	}
	if who.Is(q, quiet) {
		return isShell && !who.Is(q, who.Shells) || who.Is(p, explores) || who.Is(p, who.Fetchers) || who.Is(p, who.Connectors)
	}
	if !isShell || !who.Is(q, busy) || len(p.Args) == 0 {
		return false
	}
	line := strings.Join(p.Args, " ")
	command := strings.TrimSpace(strings.TrimPrefix(strings.TrimPrefix(line, "-c "), "exec "))
	first, _, _ := strings.Cut(strings.SplitN(command, ";", 2)[0], " ")
	if who.Is(q, services) && (first == "id" || first == "whoami" || first == "uname" && strings.Contains(command, "-a")) {
		return true
	}
	if !who.Is(q, services) && !strings.Contains(line, "/dev/tcp/") {
		return false
	}
	for _, t := range telltales {
		if strings.Contains(line, t) {
			return true
		}
	}
	return false
}

// services are those of the busy that do nothing but serve. Scripts of Python, Ruby or Perl may be anybody's tool.
var services = who.Names("httpd apache php-fpm php-cgi java node nodejs gunicorn uwsgi postgres puma unicorn passenger tomcat catalina dotnet exim4 exim smtpd smbd winbindd")
