// Package network finds traffic that no service has: scans, tunnels, secrets of clouds and nodes, data that leaves.
package network

import (
	"cmp"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"time"

	"bulwark"
	"bulwark/detect/internal/errno"
	"bulwark/detect/internal/family"
	"bulwark/detect/internal/recent"
	"bulwark/detect/internal/who"
)

// Options may be left zero.
type Options struct {
	// Volume is how many bytes a container may send to public addresses in ten minutes, on connections on which it
	// receives little; 0: 1 GiB.
	Volume int64
}

// New makes the family.
func New(o Options) *family.Family {
	if o.Volume == 0 {
		o.Volume = 1 << 30
	}
	s := &state{volume: o.Volume, of: recent.NewTable[uint64, seen](1024), zones: recent.NewTable[zone, recent.Few](2048)}
	return family.New("network", "Finds traffic that no service has.", append(s.places(), s.amounts()...))
}

type state struct {
	volume int64
	of     *recent.Table[uint64, seen]
	zones  *recent.Table[zone, recent.Few]
}

// zone is a domain that a container asks about.
type zone struct {
	container, domain uint64
}

// seen is what a container did lately.
type seen struct {
	hosts, admin, ports recent.Few
	target              netip.Addr
	failing             recent.Few
	sent                recent.Count
}

const fixPolicy = "Let the container go only where it needs to: a NetworkPolicy with egress rules (bulwark network generate writes one)."

var metadata = []netip.Prefix{
	netip.MustParsePrefix("169.254.169.254/32"), netip.MustParsePrefix("169.254.170.2/32"), netip.MustParsePrefix("169.254.170.23/32"), netip.MustParsePrefix("fd00:ec2::254/128"),
	netip.MustParsePrefix("168.63.129.16/32"), netip.MustParsePrefix("100.100.100.200/32"), netip.MustParsePrefix("192.0.0.192/32"),
}

var inside = bulwark.Where{Container: bulwark.Yes, Failed: bulwark.No}

// byHand tells whether a tool that people use makes the connection, or a program that was not in the image.
func byHand(p *bulwark.Process) bool {
	return who.Is(p, tools) || p.File.Upper || p.File.Memory || p.File.Deleted
}

var tools = who.Names("etcdctl kubectl kubeletctl kubelet-exploit http https xh").With(who.Shells, who.Fetchers, who.Connectors, who.Names("python perl ruby php lua nmap"))

func (s *state) places() []family.Rule {
	nodePorts := inside
	nodePorts.Ports = []uint16{10250, 10255, 4194, 2379, 2380, 10257, 10259}
	api := inside
	api.Ports = []uint16{6443, 443}
	meta := inside
	meta.Nets, meta.Failed = metadata, bulwark.Either
	return []family.Rule{
		{Name: "metadata", Title: "A container asks the cloud's metadata service", Severity: bulwark.SeverityHigh, Tags: []string{"attack:T1552.005", "attack:T1580"}, References: []string{"https://attack.mitre.org/techniques/T1552/005/"},
			Why:   "The service gives out the keys of the node's role to whoever asks. High where a tool that people use, a shell or a program that was not in the image asks; low for others, since programs that use the cloud ask as well. That it was refused, or that nobody answers, does not make the question better: medium by hand.",
			Noise: "Start scripts that ask by curl in which region they are. Others are told once a day.",
			Fix:   "Give pods roles of their own, require IMDSv2 with a hop limit of 1, and deny 169.254.169.254 to pods.", Every: 24 * time.Hour,
			Looks: []family.Look{{Kinds: "connect", Where: meta, If: func(h *family.Hit) bool { return !slices.Contains(unasked, -h.Result) }, Do: askMetadata}}},
		{Name: "node-service", Title: "A tool in a container speaks to the kubelet, to etcd or to the control plane", Severity: bulwark.SeverityHigh, Tags: []string{"attack:T1552.007", "attack:T1613"}, References: []string{"https://kubernetes.io/docs/reference/access-authn-authz/kubelet-authn-authz/"},
			Why:   "The kubelet runs commands in all pods of its node, and etcd holds all Secrets. Monitors ask the kubelet, but not by curl or out of a shell. High.",
			Noise: "Administrators who ask by hand; etcd that is an application's own and is asked by etcdctl.",
			Fix:   fixPolicy, Every: time.Hour,
			Looks: []family.Look{{Kinds: "connect", Where: nodePorts, If: func(h *family.Hit) bool { return byHand(h.P) && !h.FD.Remote.Addr().IsLoopback() },
				Do: func(h *family.Hit) { h.Tell(h.FD.Remote.String()) }}}},
		{Name: "api-server", Title: "A tool in a container speaks to the API server", Severity: bulwark.SeverityMedium, Tags: []string{"attack:T1552.007", "attack:T1613"}, References: []string{"https://kubernetes.io/docs/concepts/security/service-accounts/"},
			Why:   "With the token of its pod, a shell or curl asks the cluster what it may do. Medium: scripts that use kubectl exist; programs with a library of their own are not told.",
			Noise: "Containers with kubectl that serve as jobs.",
			Fix:   "Set automountServiceAccountToken: false where the API is not used. " + fixPolicy, Every: 24 * time.Hour,
			Looks: []family.Look{{Kinds: "connect", Where: api, If: func(h *family.Hit) bool {
				return byHand(h.P) && (h.FD.Remote.Port() == 6443 || isAPI(h.P, h.FD.Remote)) && !who.Builds(h.P)
			}, Do: func(h *family.Hit) { h.Tell(who.Program(h.P)) }}}},
		{Name: "raw-socket", Title: "A container listens to all packets, or makes its own", Severity: bulwark.SeverityHigh, Tags: []string{"attack:T1040", "attack:T1557.002"}, References: []string{"https://attack.mitre.org/techniques/T1040/"},
			Why:   "A packet socket sees what passes the interface and can send as if it were somebody else, by which one pod takes the traffic of others. High for packet sockets, medium for raw ones.",
			Noise: "Agents of networks (DHCP, VRRP, BGP) are excused by their programs; ping uses ICMP, which is not told.",
			Fix:   "Drop CAP_NET_RAW.", Every: time.Hour,
			Looks: []family.Look{
				{Kinds: "socket", Where: inside, If: func(h *family.Hit) bool {
					return h.Num("domain") == afPacket && !who.Runtime(h.P) && !who.Trusted(h.P, rawUsers)
				}, Do: func(h *family.Hit) { h.Tell(who.Program(h.P), "packet socket") }},
				{Kinds: "socket", Where: inside, If: func(h *family.Hit) bool {
					d, proto := h.Num("domain"), h.Num("proto")
					return (d == 2 || d == 10) && h.Num("type")&0xf == sockRaw && proto != 1 && proto != 58 && !who.Runtime(h.P) && !who.Trusted(h.P, rawUsers)
				}, Do: func(h *family.Hit) { h.TellAs(bulwark.SeverityMedium, who.Program(h.P), "raw socket") }},
				{Kinds: "setsockopt", Where: inside, If: func(h *family.Hit) bool {
					return h.Num("level") == solPacket && h.Num("optname") == packetAddMembership && !who.Trusted(h.P, rawUsers)
				}, Do: func(h *family.Hit) { h.Tell(who.Program(h.P), "the interface gives it the packets of others, too") }},
			}},
	}
}

// outcomes are how a connection that was tried may end.
var outcomes = map[int64]string{
	1: "it was not let (EPERM)", 4: interrupted, 13: "it was not let (EACCES)", 99: "it has no address to ask from (EADDRNOTAVAIL)", 100: "the network is down (ENETDOWN)",
	101: "there is no way to it (ENETUNREACH)", 110: "nobody answered (ETIMEDOUT)", 111: "nobody listens (ECONNREFUSED)", 112: "the host is down (EHOSTDOWN)", 113: "the host is not reached (EHOSTUNREACH)",
	512: interrupted, 513: interrupted, 514: interrupted, 516: interrupted, // as the kernel says to itself
}

const interrupted = "a signal came while it waited (EINTR)"

// unasked are errors of calls that ask nobody: they are wrong themselves, or the socket is connected already.
var unasked = []int64{9, 14, 22, 88, 91, 97, 106, 114} // EBADF EFAULT EINVAL ENOTSOCK EPROTOTYPE EAFNOSUPPORT EISCONN EALREADY

// askMetadata tells who asks, and what came of it.
func askMetadata(h *family.Hit) {
	level, subject := bulwark.SeverityLow, "service"
	if byHand(h.P) {
		level, subject = bulwark.SeverityHigh, "hand"+who.Program(h.P)
	}
	if !h.Failed() {
		h.TellAs(level, subject)
		return
	}
	h.TellAs(min(level, bulwark.SeverityMedium), "refused"+subject, "it came to nothing: "+cmp.Or(outcomes[-h.Result], errno.Name(-h.Result)))
}

// isAPI tells whether an address is the API server's, as the pod's environment says.
func isAPI(p *bulwark.Process, to netip.AddrPort) bool {
	addr := to.Addr().Unmap().String()
	return slices.Contains(p.Env, "KUBERNETES_SERVICE_HOST="+addr) || p.Container != nil && slices.Contains(p.Container.Env, "KUBERNETES_SERVICE_HOST="+addr)
}

const (
	afPacket            = 17
	sockRaw             = 3
	solPacket           = 263
	packetAddMembership = 1
)

var rawUsers = who.Names("ping fping arping dhclient dhcpcd udhcpc systemd-networkd keepalived speaker calico-node cilium-agent bird bird6 gobgpd frr zebra ospfd pimd hostapd conntrackd iptables ip6tables iptables-save iptables-restore xtables-nft-multi xtables-legacy-multi ipset kube-proxy traceroute mtr mtr-packet flanneld nordvpn openvpn wg wpa_supplicant lldpd radvd avahi-daemon kube-vip lldpad")

// tunnel numbers: names in one minute, their length and how mixed their letters are.
const (
	tunnelNames  = 20
	tunnelLength = 24
	tunnelBits   = 3.2
	failingZones = 60
)

func (s *state) amounts() []family.Rule {
	private := inside
	private.Nets = []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8"), netip.MustParsePrefix("172.16.0.0/12"), netip.MustParsePrefix("192.168.0.0/16"), netip.MustParsePrefix("100.64.0.0/10"), netip.MustParsePrefix("fc00::/7")}
	either := private
	either.Failed = bulwark.Either
	return []family.Rule{
		{Name: "scan", Title: "A container tries many hosts or ports of its network", Severity: bulwark.SeverityHigh, Tags: []string{"attack:T1046", "attack:T1018"}, References: []string{"https://attack.mitre.org/techniques/T1046/"},
			Why:   "A tool, a shell or a program that was not in the image connects within a minute to 40 private addresses, to 12 at a port of administration, or to 30 ports of one; another program to 150, 40 or 50: it looks for where to go next. Services speak to few. High.",
			Noise: "Monitors, proxies and meshes that are known are excused by their programs; others that ask many targets are told.",
			Fix:   fixPolicy, Every: 10 * time.Minute,
			Looks: []family.Look{{Kinds: "connect", Where: either, If: func(h *family.Hit) bool {
				return h.FD.Remote.Port() != 53 && h.FD.Remote.Port() != 0 && h.FD.Proto != 17 && !who.Trusted(h.P, manyTargets)
			}, Do: s.scan}}},
		{Name: "dns-tunnel", Title: "Names are asked for that carry data", Severity: bulwark.SeverityHigh, Tags: []string{"attack:T1048", "attack:T1071.004", "attack:T1572"}, References: []string{"https://attack.mitre.org/techniques/T1071/004/"},
			Why:   "Twenty or more names of one domain within a minute are long and look like encoded bytes: the name itself is the message, and the name server its receiver. High: it is how data leaves where only DNS is open.",
			Noise: "Some services for reputation put hashes into names. Reverse names and those of clusters are not judged.",
			Fix:   "Deny the domain in the name server, and let pods ask only that one.", Every: time.Hour,
			Looks: []family.Look{{Kinds: "dns", If: func(h *family.Hit) bool { return tunnelName(string(h.Text("name"))) }, Do: func(h *family.Hit) {
				name := strings.ToLower(strings.TrimSuffix(string(h.Text("name")), "."))
				domain := domainOf(name)
				z := s.zones.Of(zone{h.Key(), recent.HashString(domain)})
				if z.Add(h.Time, time.Minute, tunnelNames, recent.HashString(name)) >= tunnelNames {
					h.Tell(domain, fmt.Sprintf("%d different names of %s within a minute", tunnelNames, domain), "the last one: "+name)
				}
			}}}},
		{Name: "dns-failures", Title: "A container asks for many domains that do not exist", Severity: bulwark.SeverityMedium, Tags: []string{"attack:T1568.002"}, References: []string{"https://attack.mitre.org/techniques/T1568/002/"},
			Why:   "Sixty domains that nobody has, within a minute: programs that make up the names of their controllers by the date ask like that. Medium, as crawlers do so as well.",
			Noise: "Crawlers, and mail servers that check senders. Names within one domain count once.",
			Fix:   fixPolicy, Every: time.Hour,
			Looks: []family.Look{{Kinds: "dns", Where: bulwark.Where{Container: bulwark.Yes}, If: func(h *family.Hit) bool {
				return h.Num("rcode") == 3 && !innerName(string(h.Text("name"))) && !who.Trusted(h.P, who.Names("coredns unbound named dnsmasq node-cache postfix smtpd rspamd"))
			}, Do: func(h *family.Hit) {
				domain := domainOf(strings.ToLower(strings.TrimSuffix(string(h.Text("name")), ".")))
				if s.of.Of(h.Key()).failing.Add(h.Time, time.Minute, failingZones, recent.HashString(domain)) >= failingZones {
					h.Tell("failures", fmt.Sprintf("%d domains within a minute, the last one %s", failingZones, domain))
				}
			}}}},
		{Name: "egress-volume", Title: "A container sends much to the Internet and receives little", Severity: bulwark.SeverityMedium, Tags: []string{"attack:T1041", "attack:T1048"}, References: []string{"https://attack.mitre.org/techniques/T1041/"},
			Why:   "More than a gigabyte (or what was set) within ten minutes leaves to public addresses on connections that the container made, and less than a tenth comes back. Data that is taken looks so. Medium: so do backups.",
			Noise: "Backups, uploads and live streams.",
			Fix:   fixPolicy, Every: time.Hour,
			Looks: []family.Look{{Kinds: "flow", Where: bulwark.Where{Container: bulwark.Yes}, If: func(h *family.Hit) bool {
				a := h.FD.Remote.Addr()
				return a.IsValid() && !h.FD.Server && !a.IsPrivate() && !a.IsLoopback() && !a.IsLinkLocalUnicast() && h.Num("sent") > 10*h.Num("received")
			}, Do: func(h *family.Hit) {
				if n := s.of.Of(h.Key()).sent.Add(h.Time, 10*time.Minute, h.Num("sent")); n > s.volume {
					h.Tell("volume", fmt.Sprintf("%d MB sent within ten minutes, the last of it to %s", n>>20, h.FD.Remote))
				}
			}}}},
	}
}

var manyTargets = who.Names("prometheus vmagent otelcol otelcol-contrib agent blackbox_exporter envoy haproxy nginx traefik kube-proxy cilium-agent telegraf zabbix_server nagios kube-apiserver kube-controller-manager kube-state-metrics metrics-server linkerd-proxy pilot-agent pilot-discovery caddy consul serf etcd cassandra kubelet grafana-agent alloy datadog-agent vector fluent-bit elasticsearch kafka crawler")

// admin are ports of what administers.
var admin = []uint16{22, 23, 135, 139, 445, 1433, 2375, 2376, 3306, 3389, 5432, 5900, 5985, 6379, 9200, 10250, 11211, 27017}

func (s *state) scan(h *family.Hit) {
	to, c := h.FD.Remote, s.of.Of(h.Key())
	addr := recent.HashString(to.Addr().String())
	hosts, admins, ports := 150, 40, 50
	if byHand(h.P) {
		hosts, admins, ports = 40, 12, 30
	}
	if n := c.hosts.Add(h.Time, time.Minute, hosts, addr); n >= hosts {
		h.Tell("hosts", fmt.Sprintf("%d private addresses within a minute, the last one %s", n, to))
		return
	}
	if slices.Contains(admin, to.Port()) {
		if n := c.admin.Add(h.Time, time.Minute, admins, addr); n >= admins && sameOf(to.Port()) {
			h.Tell("hosts", fmt.Sprintf("%d private addresses at ports of administration within a minute, the last one %s", n, to))
			return
		}
	}
	if c.target != to.Addr() {
		c.target = to.Addr()
		c.ports.Reset()
	}
	if n := c.ports.Add(h.Time, time.Minute, ports, uint64(to.Port())); n >= ports {
		h.Tell("ports", fmt.Sprintf("%d ports of %s within a minute", n, to.Addr()))
	}
}

// sameOf tells whether clusters of databases do not speak like that among themselves.
func sameOf(port uint16) bool { return port != 6379 && port != 9200 && port != 27017 && port != 11211 }
