package image

import (
	"bulwark"
	"bulwark/check/internal/misconfig"
)

// Rule is what the check looks for, and why.
type Rule = misconfig.Rule

const (
	low      = bulwark.SeverityLow
	medium   = bulwark.SeverityMedium
	high     = bulwark.SeverityHigh
	critical = bulwark.SeverityCritical
)

// The rules. Their ids elsewhere are those of the CIS Docker benchmark (section 4),
// Dockle and Hadolint.
var (
	rootUser = Rule{ID: "image/root-user", Severity: medium, Title: "The container runs as root",
		Tags: []string{"cis-docker:4.1", "dockle:CIS-DI-0001", "hadolint:DL3002"},
		Fix:  "create a user in the Dockerfile and end with USER and its number, such as USER 10001",
		Why:  "whoever breaks into the process is root in the container, one kernel or runtime flaw away from root on the node; medium, because that flaw is still needed",
		Noise: "an entrypoint that drops its rights itself (gosu, su-exec, setpriv), and base images, whose " +
			"users set USER later"}
	setuid = Rule{ID: "image/setuid", Severity: low, Hygiene: true, Title: "Set-uid and set-gid programs",
		Tags:  []string{"cis-docker:4.8", "dockle:CIS-DI-0008"},
		Fix:   "remove the bit where nobody needs it: RUN find / -xdev -perm /6000 -type f -exec chmod a-s {} +; or run with no-new-privileges",
		Why:   "each is a way from any user to root, should it have a flaw; low, because those of a distribution are well looked after",
		Noise: "every distribution has a dozen; containers run with no-new-privileges ignore the bit"}
	setuidShell = Rule{ID: "image/setuid-shell", Severity: high, Title: "A set-uid program that gives anybody root",
		Tags:  []string{"cis-docker:4.8", "dockle:CIS-DI-0008", "attack:T1548.001"},
		Fix:   "remove the bit: RUN chmod a-s FILE; and find out who set it",
		Why:   "a shell, interpreter, copier or editor with the bit set does whatever its caller says, as root: a way up that needs no flaw",
		Noise: "none is known; a busybox of its own for set-uid applets (bbsuid, busybox.suid) is not taken for it"}
	worldWritable = Rule{ID: "image/world-writable", Severity: low, Title: "Files that everybody may change",
		Tags: []string{"cis-docker:4.8"},
		Fix:  "take the right away: RUN chmod o-w FILE, or COPY --chmod=0644",
		Why: "any process, of whatever user, can change what another one reads or runs; medium for programs and for files of the system, high where they " +
			"decide who is root, low for data",
		Noise: "an image with one user, whose files were copied from a file system without modes (Windows)"}
	shadowReadable = Rule{ID: "image/shadow-readable", Severity: medium, Title: "Everybody may read the password hashes",
		Tags: []string{"attack:T1003.008"}, Fix: "RUN chmod 0640 /etc/shadow",
		Why:   "hashes can be guessed at leisure, and passwords are used again elsewhere; medium, because most accounts of an image have none",
		Noise: "all accounts are locked"}
	emptyPassword = Rule{ID: "image/empty-password", Severity: high, Title: "An account needs no password",
		Tags: []string{"dockle:DKL-LI-0001", "attack:T1078.003"}, Fix: "lock it: RUN passwd -l NAME",
		Why:   "su, login and sshd let anybody in as that user where PAM allows empty passwords, as Alpine's root once (CVE-2019-5021)",
		Noise: "an image without su, login or sshd"}
	secondRoot = Rule{ID: "image/second-root", Severity: high, Title: "A second account with user id 0",
		Tags: []string{"dockle:DKL-LI-0002", "attack:T1136.001"}, Fix: "remove the account or give it an id of its own: RUN usermod -u ID NAME",
		Why:   "it is root under another name, which rules and eyes that look for root miss: what intruders leave behind",
		Noise: "toor of BSD heritage"}
	duplicateID = Rule{ID: "image/duplicate-uid", Severity: low, Title: "Accounts that share a user id",
		Tags: []string{"dockle:DKL-LI-0002"}, Fix: "give each account an id of its own",
		Why:   "each owns the other's files, which no reader of the modes expects; low, because an image seldom has several people",
		Noise: "one account under two names on purpose (an alias)"}
	envSecret = Rule{ID: "image/env-secret", Severity: medium, Title: "A weak password is set in the image's environment",
		Tags:  []string{"cis-docker:4.10", "dockle:CIS-DI-0010", "attack:T1552.001"},
		Fix:   "leave it unset, and give it when the container starts, as a mounted file (NAME_FILE=/run/secrets/name)",
		Why:   "it is the default of every container of this image, readable by whoever can pull it, and short enough to guess; medium, because it is often overridden",
		Noise: "a name that only sounds like a secret; a default that the program refuses to start with"}
	argSecret = Rule{ID: "image/build-arg-secret", Severity: medium, Title: "A secret was handed to the build as an argument",
		Tags:  []string{"cis-docker:4.10", "dockle:CIS-DI-0010"},
		Fix:   "use RUN --mount=type=secret, and change the secret: history keeps it",
		Why:   "the values of build arguments stand in the image's history for whoever can pull it; medium, because it may have been a dummy",
		Noise: "a placeholder that lets a build step run (SECRET_KEY_BASE=dummy)"}
	tlsOff = Rule{ID: "image/tls-off", Severity: high, Title: "Certificates are not checked",
		Tags: []string{"attack:T1557"}, Fix: "unset the variable, and add the missing certificate authority to the image instead",
		Why:   "whoever sits on the way reads and changes what the program sends and loads, for all connections of all containers of the image",
		Noise: "a test image that only talks to itself"}
	preload = Rule{ID: "image/preload", Severity: medium, Title: "A library is put into every process",
		Tags: []string{"attack:T1574.006"}, Fix: "unset it, or load the library in the one program that needs it",
		Why:   "the library runs in every process, also those of an administrator; medium, because allocators are loaded so on purpose",
		Noise: "none for the allocators jemalloc, tcmalloc and mimalloc, which are not reported"}
	writablePath = Rule{ID: "image/path-writable", Severity: medium, Title: "PATH leads root through a folder that others can write to",
		Tags: []string{"attack:T1574.007"}, Fix: "take the folder out of PATH, or put it last and give it to root",
		Why:   "a program put there runs as root under the name of a trusted one; medium, because somebody must be able to write first",
		Noise: "nobody but root in the container"}
	add = Rule{ID: "image/add", Severity: low, Hygiene: true, Title: "ADD where COPY serves",
		Tags: []string{"cis-docker:4.9", "dockle:CIS-DI-0009", "hadolint:DL3020"}, Fix: "use COPY",
		Why:   "ADD unpacks archives and fetches addresses, so its result depends on what the file happens to be; low, because here it copied",
		Noise: "an archive that was to be unpacked but whose name does not say so"}
	addRemote = Rule{ID: "image/add-remote", Severity: medium, Title: "A file was fetched into the image without a checksum",
		Tags: []string{"cis-docker:4.9", "dockle:CIS-DI-0009"}, Fix: "ADD --checksum=sha256:...",
		Why:   "whoever controls the address, or the way to it, decides what is in the image; high with http://",
		Noise: "the file is checked in a later step"}
	pipeToShell = Rule{ID: "image/pipe-to-shell", Severity: medium, Title: "The build ran a download without looking at it",
		Tags: []string{"attack:T1195.002", "cis-docker:4.11"}, Fix: "download a named release to a file, compare its SHA-256 with one that is written in the Dockerfile, then run it",
		Why:   "whoever controlled the address on the day of the build could do anything to the image, and it cannot be built again the same; medium, because it takes a break into the publisher, high where http or no check of certificates let anybody on the way in",
		Noise: "installers of publishers whose packages are trusted anyway (rustup, nodesource)"}
	updateAlone = Rule{ID: "image/update-alone", Severity: low, Hygiene: true, Title: "The list of packages was fetched in a step of its own",
		Tags: []string{"cis-docker:4.7", "dockle:CIS-DI-0007"}, Fix: "RUN apt-get update && apt-get install -y ... && rm -rf /var/lib/apt/lists/*",
		Why: "the builder keeps that step, so that later builds install from an old list, without the fixes since", Noise: "an image that is always built without a cache"}
	osUpgrade = Rule{ID: "image/os-upgrade", Severity: low, Hygiene: true, Title: "The build upgraded the whole distribution",
		Tags: []string{"dockle:DKL-DI-0003", "hadolint:DL3005", "cis-docker:4.4"}, Fix: "build from a base image that is up to date instead",
		Why: "what the image holds depends on the day of the build, and every file is stored twice; low, because the fixes are in it", Noise: "base images whose publisher is slow with security fixes"}
	packageCache = Rule{ID: "image/package-cache", Severity: low, Hygiene: true, Title: "A package manager's lists or downloads are in the image",
		Tags: []string{"dockle:DKL-DI-0004", "dockle:DKL-DI-0005", "hadolint:DL3009"}, Fix: "remove them in the RUN that fetched them (rm -rf /var/lib/apt/lists/*, apk add --no-cache, dnf clean all)",
		Why: "size, and lists that grow stale, from which a later build installs old packages", Noise: "an image that is to install packages when it runs"}
	leftover = Rule{ID: "image/leftover", Severity: low, Hygiene: true, Title: "Files of the build are in the image",
		Tags: []string{"dockle:DKL-LI-0003", "cis-docker:4.3"}, Fix: "name them in .dockerignore, or copy what is needed by name",
		Why: "Dockerfiles, compose files and Git folders tell an intruder how the system is built, and with Git every version of it, secrets that were removed too; low, because mostly nothing secret is in them " +
			"(what is, the check of secrets reports)", Noise: "tools that keep themselves up to date with Git (nvm, oh-my-zsh)"}
	noHealth = Rule{ID: "image/no-healthcheck", Severity: low, Hygiene: true, Title: "No HEALTHCHECK",
		Tags: []string{"cis-docker:4.6", "dockle:CIS-DI-0006", "hadolint:DL3057"}, Fix: "add HEALTHCHECK, or a probe where it is run",
		Why:   "an engine cannot tell a hung container from a working one",
		Noise: "Kubernetes has probes of its own and ignores it; jobs and tools need none"}
	latest = Rule{ID: "image/latest-tag", Severity: low, Hygiene: true, Title: "The tag is latest",
		Tags: []string{"dockle:DKL-DI-0006", "hadolint:DL3007"}, Fix: "use a tag that names a version, or a digest",
		Why: "what it names changes without notice, so nobody can tell what runs", Noise: "an image of one's own that is built and thrown away"}
	remotePort = Rule{ID: "image/remote-access-port", Severity: medium, Title: "A port for remote access is exposed",
		Tags: []string{"attack:T1021"}, Fix: "leave the service out: docker exec and kubectl exec reach a container without it",
		Why:   "a second way in beside the application, with passwords and keys of its own; medium, because it must be published and entered",
		Noise: "the image is a jump host or an SFTP server"}
	databasePort = Rule{ID: "image/database-port", Severity: low, Hygiene: true, Title: "A database's port is exposed",
		Fix: "publish it to those that need it only: 127.0.0.1:PORT:PORT, a network of its own, a NetworkPolicy",
		Why: "data stores are what intruders look for first; low, because EXPOSE publishes nothing by itself", Noise: "a database's own image"}
	sudo = Rule{ID: "image/sudo", Severity: low, Title: "sudo is installed",
		Tags: []string{"dockle:DKL-DI-0001", "hadolint:DL3004", "attack:T1548.003"}, Fix: "do not install it; run what needs root before USER, at build time",
		Why: "a set-uid program with a long list of flaws that nobody needs where a process runs as one user; low, because it still wants a password or a rule", Noise: "development images"}
	noPassword = Rule{ID: "image/sudo-nopasswd", Severity: medium, Title: "sudo gives root without a password",
		Tags: []string{"attack:T1548.003"}, Fix: "take the line out; run what needs root before USER, at build time",
		Why: "the user is root in all but name, and the USER line of the image is void", Noise: "development images (devcontainers) want it so"}
	shell = Rule{ID: "image/unneeded-tools", Severity: low, Hygiene: true, Title: "Shell or package manager in an image that starts neither",
		Tags: []string{"cis-docker:4.3"}, Fix: "copy the program into a distroless or scratch base in a last stage",
		Why: "an intruder's first tools; low, because their absence only slows him down", Noise: "the program calls a shell itself, or people debug with it"}
	provenance = Rule{ID: "image/no-provenance-labels", Severity: low, Hygiene: true, Title: "Nothing says where the image comes from",
		Fix: "label it when it is built: org.opencontainers.image.source and org.opencontainers.image.revision",
		Why: "without source and revision nobody can tell which code is inside, or rebuild it", Noise: "provenance is attested instead (SLSA)"}
	systemVolume = Rule{ID: "image/system-volume", Severity: medium, Title: "A folder of the system is a volume",
		Tags: []string{"dockle:DKL-DI-0002"}, Fix: "declare a folder of the application's own",
		Why: "what is written there outlives the container and can be shared with the next one, or hides what later layers bring", Noise: "images that run engines in engines"}
	stopSignal = Rule{ID: "image/stop-signal", Severity: low, Hygiene: true, Title: "The container is stopped by SIGKILL",
		Fix: "use SIGTERM, or the signal that the program handles", Why: "the program cannot finish its writes", Noise: "a program without state"}
	procWorkdir = Rule{ID: "image/proc-workdir", Severity: critical, Title: "The working folder lies in /proc",
		Tags: []string{"attack:T1611"}, Fix: "do not run this image; set WORKDIR to a folder of the application",
		Why:   "runc before 1.1.12 starts such a container with a folder of the host as its own (CVE-2024-21626): an image that asks for it was made to break out",
		Noise: "none is known", Refs: []string{"https://nvd.nist.gov/vuln/detail/CVE-2024-21626"}}
	debugger = Rule{ID: "image/debugger", Severity: medium, Title: "A debugger listens",
		Tags: []string{"attack:T1059"}, Fix: "start the program without it, and turn it on by hand when needed",
		Why: "debug protocols run any code without asking who calls; medium, because the port must be reached", Noise: "development images"}
	untrustedSource = Rule{ID: "image/untrusted-source", Severity: high, Title: "Packages are taken without checking who made them",
		Tags: []string{"cis-docker:4.11"}, Fix: "take the setting out, and add the key or the certificate authority that is missing",
		Why:   "whoever controls the index, or the way to it, runs code in the next build; high, because it needs nothing else",
		Noise: "a local index (file:) of the build itself"}
	plainSource = Rule{ID: "image/plain-http-source", Severity: low, Hygiene: true, Title: "A third party's package index is asked over plain http",
		Tags: []string{"cis-docker:4.11"}, Fix: "use https",
		Why: "signatures still hold, but whoever sits on the way sees what is installed, and can keep upgrades back", Noise: "an index in one's own network"}
)

// Rules lists the rules by id.
func (*Check) Rules() []bulwark.Rule { return misconfig.List(rules()) }

func rules() []*Rule {
	return []*Rule{&rootUser, &setuid, &setuidShell, &worldWritable, &shadowReadable, &emptyPassword, &secondRoot, &duplicateID, &envSecret, &argSecret,
		&tlsOff, &preload, &writablePath, &add, &addRemote, &pipeToShell, &updateAlone, &osUpgrade, &packageCache, &leftover, &noHealth, &latest, &remotePort, &databasePort, &sudo, &noPassword, &shell, &provenance,
		&systemVolume, &stopSignal, &procWorkdir, &debugger, &untrustedSource, &plainSource}
}
