package compose

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"bulwark"
	"bulwark/internal/patch"

	"github.com/google/go-cmp/cmp"
)

// judgeText gives the findings about a file, and its notes.
func judgeText(t testing.TB, data string) (found []bulwark.Finding, notes []string) {
	t.Helper()
	inv := &bulwark.Inventory{Documents: []bulwark.Document{{Kind: "compose", Path: "compose.yaml", Data: []byte(data)}, {Kind: "dockerfile", Path: "Dockerfile", Data: []byte("services: {a: {privileged: true}}")}}}
	err := New(Options{}).Check(t.Context(), &bulwark.Target{}, inv, func(r bulwark.Record) {
		if r.Finding != nil {
			found = append(found, *r.Finding)
			return
		}
		notes = append(notes, r.Note.Text)
	})
	if err != nil {
		t.Fatal(err)
	}
	return found, notes
}

// brief is what the tables compare, without hygiene.
func brief(list []bulwark.Finding) []string {
	var out []string
	for _, f := range list {
		if !slices.Contains(f.Tags, "hygiene") {
			out = append(out, fmt.Sprintf("%s %s %d %s", f.Severity, strings.TrimPrefix(f.Rule, "compose/"), f.Line, f.Evidence[0]))
		}
	}
	return out
}

func TestService(t *testing.T) {
	for _, tt := range []struct {
		service string // the lines of one service, from line 3 on
		want    []string
	}{
		{"image: a@sha256:x\nuser: '1000'\ncap_add: [NET_BIND_SERVICE]\nprivileged: false\npid: service:x\nnetwork_mode: bridge", nil},
		{"privileged: true", []string{"high privileged 3 privileged: true"}},
		{"privileged: ${P:-false}", nil},
		{"cap_add:\n  - CAP_SYS_ADMIN\n  - net_admin\n  - CHOWN\n  - all", []string{"high capability 4 cap_add: SYS_ADMIN", "medium capability 5 cap_add: NET_ADMIN", "high capability 7 cap_add: ALL"}},
		{"network_mode: host\npid: \"host\"\nipc: host\nuserns_mode: host\ncgroup: host", []string{"medium host-namespace 3 network_mode: host", "high host-namespace 4 pid: host", "medium host-namespace 5 ipc: host", "high host-namespace 6 userns_mode: host", "medium host-namespace 7 cgroup: host"}},
		{"security_opt: [seccomp=unconfined, 'apparmor:unconfined', no-new-privileges]", []string{"medium unconfined 3 security_opt: seccomp:unconfined", "medium unconfined 3 security_opt: apparmor:unconfined"}},
		{"use_api_socket: true\nbuild: {context: ., privileged: true, network: host, entitlements: [network.host, security.insecure]}\npost_start: [{command: x, privileged: true}, {command: y}]",
			[]string{"high privileged 4 build: privileged", "high privileged 5 post_start: privileged", "low host-namespace 4 build: network: host", "high engine-socket 3 use_api_socket: true"}},
		{"volumes: [named:/x, 'other:/y', 'read:/z:ro']\nimage: a@sha256:x\n\bvolumes:\n\b  named: {driver_opts: {type: none, o: bind, device: /}}\n\b  other: {driver_opts: {type: nfs, o: addr=x, device: ':/etc'}}\n\b  read:\n\b    driver_opts:\n\b      o: 'bind,ro'\n\b      device: /etc",
			[]string{"critical host-mount 6 / of the host is mounted writable", "medium host-mount 11 /etc of the host is mounted read-only"}},
		{"user: root", []string{"medium root-user 3 user: root"}},
		{"user: 0:0", []string{"medium root-user 3 user: 0:0"}},
		{"sysctls:\n  net.core.somaxconn: 1\n  vm.swappiness: 1", []string{"low sysctl 5 sysctls: vm.swappiness"}},
		{"volumes: ['/var/run/docker.sock:/x:ro', './data:/d', 'named:/e', '/etc/localtime:/etc/localtime:ro', '/sys/fs/cgroup:/sys/fs/cgroup:ro', '/etc/x/y.conf:/y:ro']", []string{"high engine-socket 3 /var/run/docker.sock is mounted (read-only makes no difference)"}},
		{"volumes:\n  - /:/host\n  - /:/host2:ro\n  - /etc:/e\n  - /proc:/p:ro\n  - type: bind\n    source: /run/containerd/containerd.sock\n    target: /x\n  - /srv:/srv:rshared\n  - ~/.ssh:/root/.ssh:ro\n  - $HOME/x:/y",
			[]string{"critical host-mount 4 / of the host is mounted writable", "high host-mount 5 / of the host is mounted read-only", "high host-mount 6 /etc of the host is mounted writable", "medium host-mount 7 /proc of the host is mounted read-only",
				"high engine-socket 8 /run/containerd/containerd.sock is mounted", "medium mount-propagation 11 /srv is mounted rshared", "high host-mount 12 ~/.ssh of the host is mounted read-only"}},
		{"volumes: ['/etc/pihole/:/etc/pihole/', '/etc/cron.d:/c', '/run/x.sock:/x', '/lib/modules:/lib/modules', '/lib/modules:/m:ro', /dev/ttyUSB0:/dev/ttyUSB0]",
			[]string{"high host-mount 3 /etc/cron.d of the host is mounted writable", "low host-mount 3 /run/x.sock of the host is mounted writable", "high host-mount 3 /lib/modules of the host is mounted writable"}},
		{"devices: [/dev/sda:/dev/sda, /dev/ttyUSB0, /dev/dri, /dev/mem]\ndevice_cgroup_rules: ['c 1:3 r', 'a *:* rwm']", []string{"high device 3 devices: /dev/sda", "high device 3 devices: /dev/mem", "high device 4 device_cgroup_rules: a *:* rwm"}},
		{"ports: ['5432:5432', '127.0.0.1:6379:6379', 8080, '2375', '80:8080', '0.0.0.0:15432:5432', '6379/udp', '${IP:-127.0.0.1}:3306:3306', '27010-27020:27010-27020']",
			[]string{"medium published-port 3 PostgreSQL (port 5432) is published on all interfaces, as port 5432", "critical published-port 3 the Docker engine (port 2375) is published on all interfaces, on a port of the engine's choice",
				"medium published-port 3 PostgreSQL (port 5432) is published on all interfaces, as port 15432", "high published-port 3 MongoDB (port 27010) is published on all interfaces, as ports 27010 to 27020"}},
		{"image: x/metasploit\nports: ['4444:4444', '${P}:5432', 11434]", []string{"medium published-port 4 PostgreSQL (port 5432) is published on all interfaces, as a port that a variable names", "high published-port 4 Ollama (port 11434) is published on all interfaces, on a port of the engine's choice"}},
		{"volumes: ['~/.docker/config.json:/config.json:ro', '~/traefik:/x', /home/u/.kube:/k, ./.aws:/a]", []string{"high host-mount 3 ~/.docker/config.json of the host is mounted read-only", "high host-mount 3 /home/u/.kube of the host is mounted writable"}},
		{"image: phpmyadmin:5\nports:\n  - target: 80\n    published: 8080", []string{"medium published-port 5 phpMyAdmin (port 80) is published on all interfaces, as port 8080"}},
		{"environment:\n  DB_PASSWORD: hunter\n  PW_PASSWORD: ${X}\n  D_PASSWORD: ${X:-dev}\n  A_PASSWORD_FILE: /run/x\n  TOKEN_URL: x\n  NO_PASSWORD:\n  ALLOW_EMPTY_PASSWORD: 'yes'",
			[]string{"medium env-secret 4 the value of DB_PASSWORD stands in the file", "medium env-secret 6 the value of D_PASSWORD stands in the file", "medium no-authentication 10 ALLOW_EMPTY_PASSWORD: yes"}},
		{"environment: [POSTGRES_HOST_AUTH_METHOD=trust, xpack.security.enabled=false, MYSQL_ALLOW_EMPTY_PASSWORD=no]\nports: ['9999:9999']", []string{"high no-authentication 3 POSTGRES_HOST_AUTH_METHOD: trust", "high no-authentication 3 xpack.security.enabled: false"}},
		{"build:\n  args: {NPM_TOKEN: abc, V: 1}", []string{"medium build-arg-secret 4 the build argument NPM_TOKEN has its value in the file"}},
	} {
		text := "services:\n  a:\n    " + strings.ReplaceAll(strings.ReplaceAll(tt.service, "\n", "\n    "), "    \b", "") + "\n"
		found, notes := judgeText(t, text)
		if diff := cmp.Diff(tt.want, brief(found)); diff != "" || len(notes) > 0 {
			t.Errorf("%s\nnotes %q (-want +got):\n%s", text, notes, diff)
		}
	}
}

func TestHygiene(t *testing.T) {
	rules := func(text string) []string {
		found, _ := judgeText(t, text)
		var out []string
		for _, f := range found {
			if f.Severity != low || !slices.Contains(f.Tags, "hygiene") {
				t.Errorf("%s is %s with tags %v", f.Rule, f.Severity, f.Tags)
			}
			out = append(out, strings.TrimPrefix(f.Rule, "compose/"))
		}
		return out
	}
	for text, want := range map[string][]string{
		"services: {a: {image: b, links: [x]}}":                {"latest-image", "new-privileges", "no-limits", "writable-root", "no-healthcheck", "links"},
		"services: {a: {image: 'r:5/b:1'}}":                    {"unpinned-image", "new-privileges", "no-limits", "writable-root", "no-healthcheck"},
		"services: {a: {extends: {file: b.yaml, service: c}}}": nil,
		"services: {a: {build: ., image: x, read_only: true, mem_limit: 1g, healthcheck: {test: x}, security_opt: ['no-new-privileges:true']}}":                     nil,
		"services: {a: {image: '${I}', read_only: true, deploy: {resources: {limits: {memory: 1g}}}, healthcheck: {test: x}, security_opt: ['no-new-privileges']}}": nil,
	} {
		if diff := cmp.Diff(want, rules(text)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", text, diff)
		}
	}
}

// TestProject judges files of one folder together where something is lacking, and notes
// files that it has not seen.
func TestProject(t *testing.T) {
	inv := &bulwark.Inventory{}
	for path, text := range map[string]string{
		"a/compose.yaml":          "include: [more/compose.yaml, {path: [gone.yaml, https://u:p@x.example/c.yaml]}]\nservices:\n  db: {image: 'x@sha256:0', healthcheck: {test: x}}\n  web: {extends: {file: common.yml, service: web}}\n",
		"a/compose.override.yaml": "services:\n  db:\n    privileged: true\n    mem_limit: 1g\n    read_only: true\n    security_opt: ['no-new-privileges:true']\n",
		"a/more/compose.yaml":     "services: {db: {image: 'x@sha256:0'}}\n",
	} {
		inv.Documents = append(inv.Documents, bulwark.Document{Kind: "compose", Path: path, Data: []byte(text)})
	}
	var got []string
	err := New(Options{}).Check(t.Context(), &bulwark.Target{}, inv, func(r bulwark.Record) {
		if r.Note != nil {
			got = append(got, r.Note.Path+": "+r.Note.Text)
			return
		}
		got = append(got, r.Finding.Path+": "+r.Finding.Rule)
	})
	slices.Sort(got)
	want := []string{"a/compose.override.yaml: compose/privileged",
		`a/compose.yaml: extends a service of "common.yml", which was not judged`, `a/compose.yaml: includes "gone.yaml", which was not judged`, `a/compose.yaml: includes "https://x.example/c.yaml", which was not judged`,
		"a/more/compose.yaml: compose/new-privileges", "a/more/compose.yaml: compose/no-healthcheck", "a/more/compose.yaml: compose/no-limits", "a/more/compose.yaml: compose/writable-root"}
	if diff := cmp.Diff(want, got); diff != "" || err != nil {
		t.Errorf("%v (-want +got):\n%s", err, diff)
	}
}

func TestPatches(t *testing.T) {
	const text = "services:\n  é: &x\n    image: a:1\n    ports:\n      - 5432:5432 # db\n      - \"0.0.0.0:6379:6379\"\n      - {target: 3306, published: 3306, host_ip: 0.0.0.0}\n      - '27017'\n      - ${P}:9200\n    volumes: [ /etc:/e, '/root:/r:rw', '/usr:/u:z' ]\n    privileged: true\r\n  b: {<<: *x, privileged: false}\n"
	const want = "services:\n  é: &x\n    image: a:1\n    ports:\n      - \"127.0.0.1:5432:5432\" # db\n      - \"127.0.0.1:6379:6379\"\n      - {target: 3306, published: 3306, host_ip: 127.0.0.1}\n      - \"127.0.0.1::27017\"\n      - \"127.0.0.1:${P}:9200\"\n    volumes: [ /etc:/e:ro, '/root:/r:rw', '/usr:/u:z' ]\n    privileged: false\r\n  b: {<<: *x, privileged: false}\n"
	found, _ := judgeText(t, text)
	var patches []bulwark.Patch
	for _, f := range found {
		if f.Fix.Patch != nil && !slices.Contains(f.Tags, "hygiene") {
			patches = append(patches, *f.Fix.Patch)
		}
	}
	files, left := patch.Join(patches)
	if len(files) != 1 || len(left) != 2 { // two changes of one line, twice found: one is left for the next run
		t.Fatalf("%d files, left: %v", len(files), left)
	}
	got, err := files[0].Apply([]byte(text))
	if diff := cmp.Diff(want, string(got)); diff != "" || err != nil {
		t.Errorf("%v (-want +got):\n%s", err, diff)
	}
}

func TestRemove(t *testing.T) {
	for text, want := range map[string]string{
		"pid: host\nimage: a":                                       "image: a",
		"image: a\nipc: \"host\" # why\nx-y: 1":                     "image: a\nx-y: 1",
		"network_mode: host\nimage: a":                              "",
		"image: a\npid: &p host":                                    "",
		"image: a\ncap_add:\n  - SYS_ADMIN\nx-y: 1":                 "image: a\nx-y: 1",
		"image: a\ncap_add:\n- SYS_ADMIN\n- CHOWN":                  "image: a\ncap_add:\n- CHOWN",
		"image: a\ncap_add: [SYS_ADMIN]":                            "",
		"image: a\ncap_add: # c\n  # d\n  - SYS_ADMIN":              "",
		"image: a\ncap_add:\n  - NET_ADMIN":                         "",
		"image: a\nsecurity_opt:\n  - seccomp:unconfined\n  - x:y":  "image: a\nsecurity_opt:\n  - x:y",
		"image: a\nsecurity_opt:\n  - &x seccomp:unconfined\n  - b": "",
	} {
		whole := func(s string) string { return "services:\n  a:\n    " + strings.ReplaceAll(s, "\n", "\n    ") + "\n" }
		found, _ := judgeText(t, whole(text))
		var patches []bulwark.Patch
		for _, f := range found {
			if f.Fix.Patch != nil && !slices.Contains(f.Tags, "hygiene") {
				patches = append(patches, *f.Fix.Patch)
			}
		}
		if len(patches) == 0 || want == "" {
			if len(patches) > 0 || want != "" {
				t.Errorf("%q: %d patches", text, len(patches))
			}
			continue
		}
		files, _ := patch.Join(patches)
		got, err := files[0].Apply([]byte(whole(text)))
		if diff := cmp.Diff(whole(want), string(got)); diff != "" || err != nil {
			t.Errorf("%v (-want +got):\n%s", err, diff)
		}
	}
}

func TestPin(t *testing.T) {
	digest := "sha256:" + strings.Repeat("ab", 32)
	o := Options{Resolve: func(_ context.Context, ref string) (string, error) {
		if strings.Contains(ref, "gone") {
			return "", errors.New("gone")
		}
		return digest, nil
	}}
	const text = "services:\n  a: {image: 'x.example/a:1'}\n  b:\n    image: b:2 # c\n  c: {image: gone:1}\n  d: {image: \"${X:-d:1}\"}\n  e: {image: e}\n"
	want := strings.NewReplacer("a:1", "a:1@"+digest, "b:2", "b:2@"+digest).Replace(text)
	inv := &bulwark.Inventory{Documents: []bulwark.Document{{Kind: "compose", Path: "compose.yaml", Data: []byte(text)}}}
	var patches []bulwark.Patch
	notes := 0
	err := New(o).Check(t.Context(), &bulwark.Target{}, inv, func(r bulwark.Record) {
		switch {
		case r.Note != nil:
			notes++
		case r.Finding.Rule == unpinned.ID && r.Finding.Fix.Patch != nil:
			patches = append(patches, *r.Finding.Fix.Patch)
		}
	})
	files, left := patch.Join(patches)
	if err != nil || len(files) != 1 || len(left) > 0 || notes != 1 {
		t.Fatal(err, files, left, notes)
	}
	got, err := files[0].Apply([]byte(text))
	if diff := cmp.Diff(want, string(got)); diff != "" || err != nil {
		t.Errorf("%v (-want +got):\n%s", err, diff)
	}
}

func TestInsert(t *testing.T) {
	for text, want := range map[string]string{
		"services:\n  a:\n    image: b\n":          "services:\n  a:\n    security_opt:\n      - \"no-new-privileges:true\"\n    image: b\n",
		"services:\n  a: {image: b}\n":             "",
		"services:\n  a:\n    security_opt: [x]\n": "",
		"services:\n  a:\n    # c\n    image: b":   "services:\n  a:\n    # c\n    security_opt:\n      - \"no-new-privileges:true\"\n    image: b",
	} {
		found, _ := judgeText(t, text)
		i := slices.IndexFunc(found, func(f bulwark.Finding) bool { return f.Rule == newPrivileges.ID })
		p := found[i].Fix.Patch
		if p == nil {
			if want != "" {
				t.Errorf("%q: no patch", text)
			}
			continue
		}
		files, _ := patch.Join([]bulwark.Patch{*p})
		if got, err := files[0].Apply([]byte(text)); string(got) != want || err != nil {
			t.Errorf("%q: %q, %v", text, got, err)
		}
		if again, notes := judgeText(t, want); slices.ContainsFunc(again, func(f bulwark.Finding) bool { return f.Rule == newPrivileges.ID }) || len(notes) > 0 {
			t.Errorf("%q: the patch does not mend it", text)
		}
	}
}

func TestKeys(t *testing.T) {
	a, _ := judgeText(t, "services:\n  a:\n    privileged: true\n    cap_add: [ALL, SYS_ADMIN]\n")
	b, _ := judgeText(t, "# moved\nservices:\n  a:\n    cap_add: [SYS_ADMIN, ALL]\n    privileged: true\n")
	keys := func(list []bulwark.Finding) (out []string) {
		for _, f := range list {
			out = append(out, f.Key)
		}
		slices.Sort(out)
		return slices.Compact(out)
	}
	if diff := cmp.Diff(keys(a), keys(b)); diff != "" || len(keys(a)) != len(a) {
		t.Errorf("keys: %s", diff)
	}
}

func TestBad(t *testing.T) {
	for name, text := range map[string]string{"syntax": "services:\n  a: [\n", "bomb": bomb()} {
		if _, notes := judgeText(t, text); len(notes) == 0 {
			t.Errorf("%s: no note", name)
		}
	}
	if found, notes := judgeText(t, "services: {a: {privileged: true}}\n---\n{"); len(found) == 0 || len(notes) != 1 {
		t.Errorf("what is before the error: %d findings, notes %q", len(found), notes)
	}
}

// bomb has services that share long lists of long lists.
func bomb() string {
	var b strings.Builder
	b.WriteString("x-l: &l [" + strings.Repeat("A=1, ", 5000) + "B]\nservices:\n")
	for i := range 1500 {
		fmt.Fprintf(&b, "  s%d: {environment: *l}\n", i)
	}
	return b.String()
}

// TestRules holds that each rule says why, how bad and when it is wrong.
func TestRules(t *testing.T) {
	for _, r := range rules() {
		if !strings.HasPrefix(r.ID, "compose/") || r.Title == "" || r.Why == "" || r.Noise == "" || r.Fix == "" || r.Severity == bulwark.SeverityUnknown || r.Hygiene && r.Severity != low {
			t.Errorf("%+v", r)
		}
	}
}

func FuzzCheck(f *testing.F) {
	f.Add([]byte("x: &a {privileged: true}\nservices:\n  b:\n    <<: *a\n    ports: ['5432:5432', {target: 22, host_ip: 0.0.0.0}]\n    volumes: [/:/x]\n    environment: [A_TOKEN=b]\n"))
	f.Fuzz(func(t *testing.T, data []byte) {
		found, _ := judgeText(t, string(data))
		for _, x := range found {
			if x.Fix.Patch == nil {
				continue
			}
			files, left := patch.Join([]bulwark.Patch{*x.Fix.Patch})
			if len(left) > 0 {
				t.Fatal(errors.Join(left...), x.Fix.Patch.Text)
			}
			if _, err := files[0].Apply(data); err != nil {
				t.Errorf("%v\n%s", err, x.Fix.Patch.Text)
			}
		}
	})
}
