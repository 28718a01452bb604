package image

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"io/fs"
	"slices"
	"strings"
	"testing"

	"bulwark"

	"github.com/google/go-cmp/cmp"
)

// file is a file of a made-up image.
type file struct {
	path string
	mode fs.FileMode
	data string
}

// learn runs inspector and extractor over files as the engine does.
func learn(t *testing.T, files []file) (*bulwark.Inventory, []bulwark.Finding) {
	t.Helper()
	inv, found := &bulwark.Inventory{}, []bulwark.Finding(nil)
	for _, f := range files {
		info := bulwark.FileInfo{Mode: f.mode, Size: int64(len(f.data))}
		info.SetPath(f.path)
		var got []bulwark.Facts
		if s := NewInspector().Begin(&info); s != nil {
			if _, err := s.Write([]byte("x")); !errors.Is(err, bulwark.ErrSkip) {
				t.Errorf("%s: the sink wants bytes: %v", f.path, err)
			}
			facts, err := s.Close()
			if err != nil {
				t.Fatal(err)
			}
			got = append(got, facts)
		}
		if x := NewExtractor(); !f.mode.IsDir() && x.Wants(&info) {
			facts, err := x.Extract(t.Context(), &bulwark.File{FileInfo: info, ReaderAt: bytes.NewReader([]byte(f.data))})
			if err != nil {
				t.Fatal(err)
			}
			got = append(got, facts)
		}
		for _, facts := range got {
			for _, d := range facts.Documents {
				d.Path, d.Layer = "/"+f.path, "sha256:1"
				inv.Documents = append(inv.Documents, d)
			}
			found = append(found, facts.Findings...)
		}
	}
	slices.SortStableFunc(inv.Documents, func(a, b bulwark.Document) int { return strings.Compare(a.Path, b.Path) })
	return inv, found
}

// target is an image with a configuration and history.
func target(config string, history ...string) *bulwark.Target {
	t := &bulwark.Target{Absolute: true, Asset: bulwark.Asset{Kind: "image", Name: "shop:1"}, Layers: []bulwark.Layer{{DiffID: "sha256:1"}},
		Image: &bulwark.Image{ConfigDigest: "sha256:c", Config: []byte(`{"config":` + config + `}`)}}
	for _, h := range history {
		t.Image.History = append(t.Image.History, bulwark.History{CreatedBy: h, Empty: true})
	}
	return t
}

func judgeAll(t *testing.T, target *bulwark.Target, files ...file) []bulwark.Finding {
	t.Helper()
	inv, found := learn(t, files)
	err := New().Check(t.Context(), target, inv, func(r bulwark.Record) { found = append(found, *r.Finding) })
	if err != nil {
		t.Fatal(err)
	}
	return found
}

// brief is what the tables compare: severity, rule without family, subject, first evidence.
func brief(list []bulwark.Finding, skip ...string) []string {
	var out []string
	for _, f := range list {
		rule := strings.TrimPrefix(f.Rule, "image/")
		if slices.Contains(skip, rule) {
			continue
		}
		first := ""
		if len(f.Evidence) > 0 {
			first = f.Evidence[0]
		}
		out = append(out, f.Severity.String()+" "+rule+" "+f.Subject+": "+first)
	}
	slices.Sort(out)
	return out
}

// quiet are the rules that nearly every made-up image breaks.
var quiet = []string{"root-user", "no-healthcheck", "no-provenance-labels"}

const passwd = "root:x:0:0:root:/root:/bin/sh\ndaemon:x:1:1::/:/bin/false\nweb:x:1000:1000::/home/web:/bin/sh\nadmin:x:0:0::/:/bin/sh\n"

func TestUser(t *testing.T) {
	for _, tt := range []struct {
		user, passwd string
		want         string // evidence; "": not root
	}{
		{"", passwd, "no USER is set, which means root"},
		{"0", passwd, `User is "0", which is root`},
		{"0:0", passwd, `User is "0:0", which is root`},
		{":100", passwd, `no USER is set, which means root (":100")`},
		{"root", passwd, `User is "root"`},
		{"root", "", `User is "root"`},
		{"0", "", `User is "0"`},
		{"00", "", `User is "00"`},
		{"admin", passwd, `User is "admin", which has the user id 0`},
		{"1000", "1000:x:0:0::/:/bin/sh\n", `User is "1000", which has the user id 0`},
		{"1000", passwd, ""}, {"web", passwd, ""}, {"web:0", passwd, ""}, {"nobody", "", ""}, {"root", "root:x:5:5::/:/bin/sh\n", ""}, {"10001", "", ""},
	} {
		config, _ := json.Marshal(map[string]string{"User": tt.user})
		got := ""
		for _, f := range judgeAll(t, target(string(config), "/bin/sh -c #(nop)  USER "+tt.user), file{"etc/passwd", 0o644, tt.passwd}) {
			if f.Rule == rootUser.ID {
				got = f.Evidence[0]
				if len(f.Evidence) != 2 || !strings.HasPrefix(f.Evidence[1], "history step 1: USER") {
					t.Errorf("user %q: evidence %q lacks the history", tt.user, f.Evidence)
				}
			}
		}
		if got != tt.want {
			t.Errorf("user %q: %q, want %q", tt.user, got, tt.want)
		}
	}
}

func TestConfig(t *testing.T) {
	for _, tt := range []struct {
		name, config string
		history      []string
		want         []string
	}{
		{"clean", `{"User":"1","Env":["PATH=/usr/bin","DB_PASSWORD_FILE=/run/secrets/db","TOKEN_TTL=60","PASSWORD=","LD_PRELOAD=/usr/lib/libjemalloc.so.2"],"Healthcheck":{"Test":["CMD","true"]},"ExposedPorts":{"8080/tcp":{},"22/udp":{}},"Volumes":{"/data":{}}}`,
			[]string{"COPY app /app # buildkit", "ADD rootfs.tar.xz / # buildkit", "/bin/sh -c #(nop) ADD file:0123 in / ", "ADD --checksum=sha256:00 https://example.org/x /x", "RUN |1 VERSION=1 /bin/sh -c make # buildkit"}, nil},
		{"null", `null`, nil, nil},
		{"health off", `{"Healthcheck":{"Test":["NONE"]}}`, nil, nil},
		{"secrets", `{"Env":["DB_PASSWORD=root","MYSQL_ROOT_PASSWORD=changeme","API_KEY=$X","PASSWORD_LENGTH=8","ADMIN_PASS=1234","X_SECRET=/run/x","AUTH_TOKEN=` + strings.Repeat("q", 30) + `"]}`, nil,
			[]string{"medium env-secret ENV ADMIN_PASS: ADMIN_PASS has a value of 4 characters that is easily guessed", "medium env-secret ENV DB_PASSWORD: DB_PASSWORD has a value of 4 characters that is easily guessed",
				"medium env-secret ENV MYSQL_ROOT_PASSWORD: MYSQL_ROOT_PASSWORD has a value of 8 characters that is easily guessed"}},
		{"argument", `{}`, []string{"|2 NPM_TOKEN=abc V=1 /bin/sh -c npm ci"}, []string{"medium build-arg-secret ARG NPM_TOKEN: history step 1 was built with the argument NPM_TOKEN"}},
		{"tls", `{"Env":["NODE_TLS_REJECT_UNAUTHORIZED=0","PIP_TRUSTED_HOST=pypi.org","GIT_SSL_NO_VERIFY=false"]}`, nil,
			[]string{`high tls-off ENV NODE_TLS_REJECT_UNAUTHORIZED: NODE_TLS_REJECT_UNAUTHORIZED is set to "0"`, `medium tls-off ENV PIP_TRUSTED_HOST: PIP_TRUSTED_HOST is set to "pypi.org"`}},
		{"path", `{"Env":["PATH=/usr/bin:/tmp/bin","LD_PRELOAD=/x.so"]}`, nil, []string{"medium path-writable ENV PATH: PATH has the folder /tmp/bin, where everybody may write", "medium preload ENV LD_PRELOAD: LD_PRELOAD is set to /x.so"}},
		{"empty path entry", `{"Env":["PATH=/usr/bin:"]}`, nil, []string{"medium path-writable ENV PATH: PATH has an empty entry, which is the current folder"}},
		{"path of another", `{"User":"5","Env":["PATH=/usr/bin:."]}`, nil, nil},
		{"ports", `{"ExposedPorts":{"22/tcp":{},"5432":{}}}`, []string{"EXPOSE map[22/tcp:{}]"}, []string{"low database-port EXPOSE 5432: port 5432 (PostgreSQL) is exposed", "medium remote-access-port EXPOSE 22: port 22 (SSH) is exposed"}},
		{"volumes", `{"Volumes":{"/etc/":{},"/var/lib/x":{},"/var/run/docker.sock":{}},"StopSignal":"SIGKILL","WorkingDir":"/proc/self/fd/8"}`, nil,
			[]string{"critical proc-workdir WORKDIR: the working folder is /proc/self/fd/8", "low stop-signal STOPSIGNAL: the stop signal is SIGKILL",
				"medium system-volume VOLUME /etc/: the volume /etc/", "medium system-volume VOLUME /var/run/docker.sock: the volume /var/run/docker.sock"}},
		{"add", `{}`, []string{"ADD . /app # buildkit", "/bin/sh -c #(nop) ADD dir:12 in /src ", "ADD app.jar /x # buildkit"}, []string{"low add ADD: history step 1: ADD . /app"}},
		{"add remote", `{}`, []string{"ADD http://u:p@example.org/x.sh /x # buildkit", "ADD https://example.org/y /y # buildkit"},
			[]string{"high add-remote ADD http://example.org/x.sh: history step 1: ADD http://example.org/x.sh /x", "medium add-remote ADD https://example.org/y: history step 2: ADD https://example.org/y /y"}},
		{"trusted host", `{"Env":["PIP_TRUSTED_HOST=u:pw@p.example"]}`, nil, []string{"medium tls-off ENV PIP_TRUSTED_HOST: PIP_TRUSTED_HOST is set to \"p.example\""}},
		{"pipe", `{}`, []string{"RUN |1 A=1 /bin/sh -c set -e; curl -fsSL https://x.example/i.sh | bash -s -- -y && rm x # buildkit", "/bin/sh -c wget -qO- http://y.example/i | sudo -E sh", `RUN sh -c "$(curl -kfsSL 'https://u:p@z.example/i?t=1')"`,
			"RUN curl https://k.example/key | gpg --dearmor > k && sh x", "RUN curl https://j.example/j | python3 -m json.tool", "RUN curl -o x https://x.example/i.sh && echo 1 | sha256sum -c && sh x", "RUN wget -O- https://p.example/p | python3 - && x"},
			[]string{"high pipe-to-shell RUN http://y.example/i: history step 2: wget -qO- http://y.example/i | sudo -E sh", "high pipe-to-shell RUN https://z.example/i: history step 3: sh -c \"$(curl -kfsSL 'https://z.example/i?t=1')",
				"medium pipe-to-shell RUN https://p.example/p: history step 7: wget -O- https://p.example/p | python3 -", "medium pipe-to-shell RUN https://x.example/i.sh: history step 1: curl -fsSL https://x.example/i.sh | bash"}},
		{"upgrade", `{}`, []string{"RUN /bin/sh -c apt-get update && apt-get -y dist-upgrade", "RUN apk upgrade --no-cache && x", "ENV X=apt-get upgrade"}, []string{"low os-upgrade RUN upgrade: history step 1: RUN apt-get update && apt-get -y dist-upgrade"}},
		{"no upgrade", `{}`, []string{"RUN apk upgrade musl", "RUN dnf update -y openssl", "RUN pip install --upgrade pip", "RUN echo upgrade", "RUN npm update"}, nil},
		{"update alone", `{}`, []string{"RUN /bin/sh -c apt-get update # buildkit", "/bin/sh -c apt-get update && apt-get install x", "RUN apt-get update"}, []string{"low update-alone RUN update: history step 1: RUN apt-get update"}},
		{"debugger", `{"Entrypoint":["java","-agentlib:jdwp=transport=dt_socket,server=y,address=*:5005"]}`, nil, []string{"medium debugger debugger: started with -agentlib:jdwp=transport=dt_socket,server=y,address=*:5005"}},
	} {
		if diff := cmp.Diff(tt.want, brief(judgeAll(t, target(tt.config, tt.history...)), quiet...)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", tt.name, diff)
		}
	}
}

func TestFiles(t *testing.T) {
	for _, tt := range []struct {
		name  string
		files []file
		want  []string
	}{
		{"clean", []file{{"etc/passwd", 0o644, "root:x:0:0::/:/bin/sh\n"}, {"etc/shadow", 0o640, "root:*:1::::::\nx:!:1::::::\n"}, {"tmp", fs.ModeDir | fs.ModeSticky | 0o777, ""}, {"usr/share/bin/sh", 0o755, "x"}}, nil},
		{"set-uid", []file{{"usr/bin/su", fs.ModeSetuid | 0o755, "x"}, {"usr/bin/chage", fs.ModeSetgid | 0o755, "x"}, {"bin/bbsuid", fs.ModeSetuid | 0o111, "x"}}, []string{"low setuid set-uid files: /bin/bbsuid has the mode 4111"}},
		{"set-uid shell", []file{{"opt/bash", fs.ModeSetuid | 0o755, "x"}, {"usr/bin/python3.11", fs.ModeSetuid | 0o755, "x"}, {"bin/busybox.suid", fs.ModeSetuid | 0o755, "x"}, {"usr/bin/wall", fs.ModeSetgid | 0o755, "x"}},
			[]string{"high setuid-shell /opt/bash: /opt/bash has the mode 4755", "high setuid-shell /usr/bin/python3.11: /usr/bin/python3.11 has the mode 4755", "low setuid set-uid files: /bin/busybox.suid has the mode 4755"}},
		{"open", []file{{"etc/passwd", 0o666, "root:x:0:0::/:/bin/sh\n"}, {"usr/bin/x", 0o777, "x"}, {"srv/a", 0o666, "x"}, {"srv", fs.ModeDir | 0o777, ""}, {"etc/shadow", 0o644, "root:*:1\n"}},
			[]string{"high world-writable files that decide who is root: /etc/passwd has the mode 0666", "low world-writable data: /srv has the mode 0777", "medium shadow-readable /etc/shadow: /etc/shadow has the mode 0644",
				"medium world-writable programs and system files: /usr/bin/x has the mode 0777"}},
		{"accounts", []file{{"etc/passwd", 0o644, "root:x:0:0::/:/bin/sh\nroot:x:0:0::/:/bin/sh\na::5:5::/:/bin/sh\nb:x:5:5::/:/bin/sh\ntoor:x:0:0::/:/bin/sh\n+::::::\nbad:x:y:z\n"}, {"etc/shadow", 0o600, "root::1::::::\n#x::\n"}},
			[]string{"high empty-password a: the password of a is empty, and not kept in etc/shadow", "high empty-password root: the password of root is empty", "high second-root toor: toor has the user id 0, as root has", "low duplicate-uid b: b has the user id 5, as a has"}},
		{"sudo", []file{{"usr/bin/sudo", fs.ModeSetuid | 0o755, "x"}, {"etc/sudoers", 0o440, "root ALL=(ALL) NOPASSWD:ALL\n%sudo ALL=(ALL:ALL) ALL\ndev ALL=(ALL) NOPASSWD: ALL\nops ALL=NOPASSWD: /bin/ls\n# x ALL=(ALL) NOPASSWD: ALL\n"}},
			[]string{"low setuid set-uid files: /usr/bin/sudo has the mode 4755", "low sudo sudo: /usr/bin/sudo", "medium sudo-nopasswd dev may run everything as root without a password: dev may run everything as root without a password"}},
	} {
		if diff := cmp.Diff(tt.want, brief(judgeAll(t, target(`{}`), tt.files...), quiet...)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", tt.name, diff)
		}
	}
}

func TestTools(t *testing.T) {
	tools := []file{{"bin/busybox", 0o755, "x"}, {"sbin/apk", 0o755, "x"}}
	for config, want := range map[string]int{
		`{"Entrypoint":["/app"]}`: 2, `{"Cmd":["python3","x.py"]}`: 2, `{"Entrypoint":["tini","--"],"Cmd":["/app"]}`: 2,
		`{"Cmd":["/bin/sh","-c","app"]}`: 0, `{"Cmd":["bash"]}`: 0, `{"Entrypoint":["/docker-entrypoint.sh"],"Cmd":["nginx"]}`: 0, `{}`: 0,
	} {
		got := 0
		for _, f := range judgeAll(t, target(config), tools...) {
			if f.Rule == shell.ID {
				got = len(f.Places)
			}
		}
		if got != want {
			t.Errorf("%s: %d useless tools, want %d", config, got, want)
		}
	}
}

func TestLeftovers(t *testing.T) {
	var files []file
	for _, p := range []string{"var/lib/apt/lists/deb.debian.org_dists_bookworm_InRelease", "var/lib/apt/lists/deb.debian.org_dists_bookworm_main_binary-amd64_Packages.lz4", "var/cache/apt/archives/x.deb", "var/cache/apk/APKINDEX.1.tar.gz",
		"var/lib/apt/lists/lock", "var/cache/apt/archives/lock", "app/Dockerfile", "app/.git/HEAD", "app/.git/refs/HEAD", "usr/share/x/Dockerfile", "app/node_modules/x/Dockerfile", "app/Dockerfile.go"} {
		files = append(files, file{path: p, mode: 0o644, data: "x"})
	}
	found := judgeAll(t, target(`{}`), files...)
	want := []string{"low leftover files of the build: /app/.git/HEAD", "low package-cache package lists: /var/cache/apk/APKINDEX.1.tar.gz"}
	if diff := cmp.Diff(want, brief(found, quiet...)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	for _, f := range found {
		if f.Rule == "image/package-cache" && len(f.Places) != 4 || f.Rule == "image/leftover" && (len(f.Places) != 2 || !slices.Contains(f.Tags, "hygiene")) {
			t.Errorf("%+v", f)
		}
	}
}

func TestSettings(t *testing.T) {
	for _, tt := range []struct {
		path, data string
		want       []string
	}{
		{"etc/apt/sources.list", "# deb [trusted=yes] http://x y z\ndeb [trusted=yes] file:/x ./\ndeb http://deb.debian.org/debian bookworm main\ndeb https://x.example/d a b\n", nil},
		{"etc/apt/sources.list.d/x.list", "deb [arch=amd64 trusted=yes] https://x.example/d a b\n\ndeb http://x.example/d a b\n", []string{"high untrusted-source 1", "low plain-http-source 3"}},
		{"etc/apt/sources.list.d/x.sources", "Types: deb\nURIs: https://x.example\nTrusted: yes\n", []string{"high untrusted-source 3"}},
		{"etc/apt/apt.conf.d/99x", "APT::Get::AllowUnauthenticated \"true\";\nAcquire::https::Verify-Peer \"false\";\nAcquire::AllowInsecureRepositories \"false\";\n", []string{"high untrusted-source 1", "high untrusted-source 2"}},
		{"etc/yum.repos.d/x.repo", "[x]\ngpgcheck=0\nsslverify = true\n", []string{"high untrusted-source 2"}},
		{"etc/pip.conf", "[global]\ntrusted-host = pypi.org\n  b.example\nindex-url = https://pypi.org/simple\nextra-index-url = http://x.example\n", []string{"high untrusted-source 2", "high untrusted-source 5"}},
		{"root/.npmrc", "strict-ssl=false\nregistry=https://registry.npmjs.org\n//x/:always-auth=true\n", []string{"high untrusted-source 1"}},
		{"app/node_modules/x/.npmrc", "strict-ssl=false\n", nil},
		{"root/.curlrc", "insecure\n", []string{"high untrusted-source 1"}},
		{"etc/wgetrc", "#check_certificate = off\ncheck_certificate = off\n", []string{"high untrusted-source 2"}},
		{"root/.gitconfig", "[http]\n\tsslVerify = false\n", []string{"high untrusted-source 2"}},
	} {
		_, found := learn(t, []file{{tt.path, 0o644, tt.data}})
		var got []string
		for _, f := range found {
			got = append(got, f.Severity.String()+" "+strings.TrimPrefix(f.Rule, "image/")+" "+string('0'+rune(f.Line)))
		}
		if diff := cmp.Diff(tt.want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", tt.path, diff)
		}
	}
}

func TestReference(t *testing.T) {
	for ref, want := range map[string]bool{"shop:latest": true, "shop": true, "localhost:5000/a/shop": true, "localhost:5000/a/shop:2": false, "shop@sha256:00": false, "/a/shop": false, "./shop": false, "shop.tar": false, "shop.oci": false, "": false} {
		tt := target(`{}`)
		tt.Asset.Name, tt.Image.ManifestDigest = ref, "sha256:m"
		got := slices.ContainsFunc(judgeAll(t, tt), func(f bulwark.Finding) bool { return f.Rule == latest.ID })
		if got != want {
			t.Errorf("%q: latest is %v", ref, got)
		}
	}
}

// TestNameInArchive: what an archive calls its image counts as the reference does.
func TestNameInArchive(t *testing.T) {
	for tag, want := range map[string]bool{"shop:latest": true, "latest": true, "shop:1": false, "": false} {
		tt := target(`{}`)
		tt.Asset.Name, tt.Asset.Labels = "shop.tar", map[string]string{"repoTag": tag}
		if got := slices.ContainsFunc(judgeAll(t, tt), func(f bulwark.Finding) bool { return f.Rule == latest.ID }); got != want {
			t.Errorf("%q: latest is %v", tag, got)
		}
	}
}

func TestNames(t *testing.T) {
	for name, want := range map[string]bool{"PASSWORD": true, "db-password": true, "PGPASSWORD": true, "AWS_SECRET_ACCESS_KEY": true, "MYSQL_PASS": true, "API_KEY": true,
		"PWD": false, "PATH": false, "GPG_KEY": false, "ALLOW_EMPTY_PASSWORD": false, "TOKEN_TTL": false, "SECRET_NAME": false, "PASSTHROUGH": false, "KEYCLOAK_USER": false} {
		if secretName(name) != want {
			t.Errorf("secretName(%q) = %v", name, !want)
		}
	}
}

func TestMalformed(t *testing.T) {
	bad := target(`{"Env":5}`)
	var found []bulwark.Finding
	inv, _ := learn(t, []file{{"etc/passwd", 0o666, "x"}})
	err := New().Check(t.Context(), bad, inv, func(r bulwark.Record) { found = append(found, *r.Finding) })
	if !errors.Is(err, bulwark.ErrMalformed) || !slices.ContainsFunc(found, func(f bulwark.Finding) bool { return f.Rule == worldWritable.ID }) {
		t.Errorf("error %v, findings %v", err, brief(found))
	}
	if _, err := NewExtractor().Extract(t.Context(), &bulwark.File{FileInfo: bulwark.FileInfo{Path: "etc/passwd", Size: 2 << 20}, ReaderAt: bytes.NewReader(make([]byte, 2<<20))}); !errors.Is(err, bulwark.ErrLimit) {
		t.Errorf("a large file gives %v", err)
	}
}

func TestFolderOfProject(t *testing.T) {
	project := &bulwark.Target{Asset: bulwark.Asset{Kind: "dir"}}
	if got := judgeAll(t, project, file{"bin/x", 0o777, "x"}); len(got) != 0 {
		t.Errorf("findings about a project: %v", brief(got))
	}
}

// TestRules holds that each rule says why, how bad and when it is wrong.
func TestRules(t *testing.T) {
	seen := map[string]bool{}
	for _, r := range rules() {
		if !strings.HasPrefix(r.ID, "image/") || seen[r.ID] || r.Title == "" || r.Why == "" || r.Noise == "" || r.Fix == "" || r.Severity == bulwark.SeverityUnknown || r.Hygiene && r.Severity != low {
			t.Errorf("%+v", r)
		}
		seen[r.ID] = true
	}
}

func FuzzCheck(f *testing.F) {
	f.Add([]byte(`{"config":{"User":"0","Env":["PATH=:","A_PASSWORD=b"],"Volumes":{"/":null}}}`), []byte("|1 A=b /bin/sh -c x\nADD --x= http://a b c in d\n#(nop)"), []byte("deb [trusted=yes] x\nroot::0:\n%a ALL NOPASSWD:ALL"))
	f.Fuzz(func(t *testing.T, config, history, data []byte) {
		var files []file
		for _, p := range []string{"etc/passwd", "etc/shadow", "etc/apt/sources.list", "etc/apt/apt.conf", "etc/yum.conf", "etc/sudoers", "pip.conf", ".npmrc", ".curlrc", ".wgetrc", ".gitconfig"} {
			files = append(files, file{p, fs.ModeSetuid | 0o777, string(data)})
		}
		inv, _ := learn(t, files)
		target := target(`{}`, strings.Split(string(history), "\n")...)
		target.Image.Config = config
		err := New().Check(t.Context(), target, inv, func(r bulwark.Record) {
			for _, e := range r.Finding.Evidence {
				if strings.ContainsFunc(e, func(c rune) bool { return c < ' ' }) {
					t.Errorf("evidence %q", e)
				}
			}
		})
		if err != nil && !errors.Is(err, bulwark.ErrMalformed) {
			t.Error(err)
		}
	})
}

func BenchmarkBegin(b *testing.B) {
	info := bulwark.FileInfo{Mode: 0o644}
	info.SetPath("usr/share/doc/x/copyright")
	for b.Loop() {
		if NewInspector().Begin(&info) != nil {
			b.Fatal("an ordinary file is of interest")
		}
	}
}

var _ io.Writer = document{}
