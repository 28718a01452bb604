// Package access finds who reads, changes, copies or deletes what is sensitive: credentials that every node and
// container has, and paths, volumes and mounts that users declare.
package access

import (
	"strings"
	"time"

	"bulwark"
	"bulwark/detect/internal/family"
	"bulwark/detect/internal/who"
)

// Options may be left zero.
type Options struct {
	Sensitive []Sensitive
}

// New makes the family.
func New(o Options) *family.Family {
	return family.New("access", "Finds who touches what is sensitive.", append(builtin(), declared(o.Sensitive)))
}

const fixAccess = "Change the credential, and see where it was used. Mount credentials only into containers that need them, readable by their user alone."

var tokens = family.Begins("/var/run/secrets/kubernetes.io/serviceaccount/", "/run/secrets/kubernetes.io/serviceaccount/", "/var/run/secrets/eks.amazonaws.com/", "/run/secrets/eks.amazonaws.com/", "/var/run/secrets/azure/tokens/", "/run/secrets/azure/tokens/")

// keys are files of credentials by where they mostly lie.
var keys = append(append(family.Ends("/.ssh/id_rsa", "/.ssh/id_dsa", "/.ssh/id_ecdsa", "/.ssh/id_ed25519", "/.aws/credentials", "/.azure/accessTokens.json", "/.azure/msal_token_cache.json", "/.docker/config.json", "/.kube/config", "/.netrc", "/.pgpass", "/.my.cnf", "/.git-credentials",
	"/.config/gcloud/credentials.db", "/.config/gcloud/access_tokens.db", "/.config/gcloud/application_default_credentials.json", "/.config/gh/hosts.yml", "/.npmrc", "/.pypirc", "/.vault-token", "/.terraform.d/credentials.tfrc.json"),
	family.OnNode(family.Begins("/etc/kubernetes/admin.conf", "/etc/kubernetes/super-admin.conf", "/etc/kubernetes/kubelet.conf", "/etc/kubernetes/controller-manager.conf", "/etc/kubernetes/scheduler.conf", "/etc/kubernetes/pki/", "/var/lib/kubelet/pki/", "/var/lib/kubelet/kubeconfig", "/etc/rancher/k3s/k3s.yaml", "/var/lib/rancher/k3s/server/cred/", "/var/lib/etcd/member/snap/"))...),
	family.Ends("/etc/krb5.keytab", "/etc/openvpn/server.key")...)

func builtin() []family.Rule {
	read := func(paths []bulwark.PathMatch, where bulwark.Tri) bulwark.Where {
		return bulwark.Where{Container: where, Failed: bulwark.No, Paths: paths}
	}
	return []family.Rule{
		{Name: "service-account-token", Title: "The token of a pod is read by hand", Severity: bulwark.SeverityMedium, Tags: []string{"attack:T1552.007", "attack:T1528"}, References: []string{"https://kubernetes.io/docs/concepts/security/service-accounts/"},
			Why:   "A tool that people use, a shell or a program that was not in the image reads the token with which the pod speaks to the cluster. Programs read it by their libraries. Medium, as scripts exist that use it.",
			Noise: "Start scripts that call the API by curl.",
			Fix:   "Set automountServiceAccountToken: false where the API is not used. " + fixAccess, Every: time.Hour,
			Looks: []family.Look{{Kinds: family.Opens, Where: read(tokens, bulwark.Yes), If: func(h *family.Hit) bool {
				return strings.HasSuffix(h.Path(), "token") && byHand(h.P) && !who.Runtime(h.P)
			}, Do: func(h *family.Hit) { h.Tell(who.Program(h.P)) }}}},
		{Name: "credential-file", Title: "A file of keys or credentials is read by a tool", Severity: bulwark.SeverityMedium, Tags: []string{"attack:T1552.001", "attack:T1552.004"}, References: []string{"https://attack.mitre.org/techniques/T1552/"},
			Why:   "cat, cp, tar, curl or a program that was not in the image reads a private key, a kubeconfig or the credentials of a cloud. Those for whom they are (ssh, kubectl, aws) read them themselves. Medium; high for keys of the cluster.",
			Noise: "Administrators and backup. On nodes only who has no terminal is told.",
			Fix:   fixAccess, Every: time.Hour,
			Looks: []family.Look{{Kinds: family.Opens, Where: read(keys, bulwark.Either), If: func(h *family.Hit) bool {
				return (h.C != nil && byHand(h.P) || h.C == nil && h.P.TTY == 0 && !who.Original(h.P)) && !who.Builds(h.P) && !who.Installs(h.P)
			}}}},
		{Name: "shadow", Title: "The hashes of passwords are read", Severity: bulwark.SeverityHigh, Tags: []string{"attack:T1003.008"}, References: []string{"https://attack.mitre.org/techniques/T1003/008/"},
			Why:   "Hashes in /etc/shadow are broken elsewhere, at leisure. Programs that check or change passwords are known; others have no reason to read it. High; medium for the container's own file, which mostly has none.",
			Noise: "Scanners of configuration and backup; on nodes people with a terminal are not told, nor is Perl with a script where programs belong: as root it looks into the file for each account that it asks about.",
			Fix:   "Change the passwords.", Every: time.Hour,
			Looks: []family.Look{{Kinds: family.Opens, Where: read(append(family.OnNode(family.Are("/etc/shadow", "/etc/gshadow", "/etc/shadow-")), family.Are("/etc/security/opasswd")...), bulwark.Either), If: func(h *family.Hit) bool {
				return !h.Writes() && !who.Trusted(h.P, passwordReaders) && !asksForAccount(h.P) && !who.Installs(h.P) && !who.Builds(h.P) && !who.Runtime(h.P) && !who.EngineOfNode(h.P) && (h.C != nil || h.P.TTY == 0) &&
					(h.C != nil || !who.Trusted(h.P, who.Names("tar rsync restic borg")))
			}, Do: func(h *family.Hit) {
				if h.C != nil && strings.HasPrefix(h.Path(), "/etc/") {
					h.TellAs(bulwark.SeverityMedium, h.Path())
				} else {
					h.Tell(h.Path())
				}
			}}}},
		{Name: "process-environment", Title: "The environment of another process is read", Severity: bulwark.SeverityMedium, Tags: []string{"attack:T1552.001", "attack:T1057"}, References: []string{"https://attack.mitre.org/techniques/T1552/001/"},
			Why:   "Passwords and keys stand in environments, and /proc/PID/environ gives those of others. Medium; high for a process of the node.",
			Noise: "Debugging by hand.",
			Fix:   fixAccess, Every: time.Hour,
			Looks: []family.Look{{Kinds: family.Opens, Magic: []uint64{family.MagicProc}, Where: read(family.Ends("/environ"), bulwark.Yes), If: func(h *family.Hit) bool {
				return byHand(h.P) && strings.HasPrefix(h.Path(), "/proc/") && !strings.HasPrefix(h.Path(), "/proc/self/") && !ownFolder(h)
			}, Do: func(h *family.Hit) { h.Tell("environ") }}}},
	}
}

// asksForAccount tells whether it is Perl with a script of the system: its getpwnam reads the hashes as well.
func asksForAccount(p *bulwark.Process) bool {
	return who.Trusted(p, who.Names("perl")) && len(p.Args) > 0 && who.InPlace(p.Args[0])
}

func ownFolder(h *family.Hit) bool {
	pid, _, _ := strings.Cut(strings.TrimPrefix(h.Path(), "/proc/"), "/")
	return pid == itoa(h.P.VPID) || pid == itoa(h.P.PID)
}

// byHand tells whether a tool that people use opens it, or a program that was not in the image.
func byHand(p *bulwark.Process) bool {
	return who.Is(p, hands) || p.File.Upper || p.File.Memory || p.File.Deleted
}

var (
	hands           = who.Names("").With(who.Readers, who.Shells, who.Fetchers, who.Connectors)
	passwordReaders = who.Names("su sudo sshd sshd-session login passwd chpasswd chage useradd usermod userdel adduser groupadd groupmod groupdel newusers unix_chkpwd cron crond atd systemd systemd-logind systemd-userdbd systemd-executor dovecot auth vsftpd proftpd pure-ftpd pwck grpck pwconv grpconv accounts-daemon gdm-session-worker polkitd polkit-agent-helper- cupsd smbd winbindd xrdp-sesman cockpit-session runuser doas gpasswd newgrp sg expiry cloud-init google_guest_agent waagent systemd-sysusers nscd sssd sssd_be slapd saslauthd screen vlock xscreensaver lightdm sddm-helper kcheckpass getent lynis aide osqueryd clamscan")
)
