package dockerfile

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"testing"

	"bulwark"
)

// judged gives the findings of a Dockerfile, and the notes.
func judged(t *testing.T, o Options, docs ...bulwark.Document) (list []*bulwark.Finding, notes []string) {
	t.Helper()
	err := New(o).Check(t.Context(), &bulwark.Target{}, &bulwark.Inventory{Documents: docs}, func(r bulwark.Record) {
		if r.Note != nil {
			notes = append(notes, r.Note.Text)
			return
		}
		list = append(list, r.Finding)
	})
	if err != nil {
		t.Fatal(err)
	}
	return list, notes
}

func document(path, text string) bulwark.Document {
	return bulwark.Document{Kind: "dockerfile", Path: path, Data: []byte(text)}
}

// example is what must and what must not trigger a rule. Texts without FROM get one; a
// wanted severity, "hygiene" or line may stand in front: "high 3| RUN ...".
type example struct{ bad, good []string }

const digest = "@sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

var examples = map[string]example{
	"image-not-pinned": {
		[]string{"hygiene 1|FROM debian:12", "ARG V=3.20\nFROM alpine:$V", "FROM a:1 AS x\nFROM x"},
		[]string{"FROM debian:12" + digest, "FROM scratch", "FROM a:1" + digest + " AS x\nFROM x", "FROM debian"},
	},
	"latest-tag":         {[]string{"low 1|FROM debian", "FROM debian:latest", "FROM localhost:5000/x", "hygiene|FROM base", "ARG B=debian\nFROM $B"}, []string{"ARG B=replace-me\nFROM $B", "FROM debian:12", "FROM x" + digest, "FROM a:1 AS b\nFROM b", "FROM " + digest[1:]}},
	"untrusted-registry": {[]string{"medium|FROM evil.example.org/x:1", "COPY --from=evil.example.org/x:1 a /a"}, []string{"FROM good.example.org/team/x:1", "FROM debian:12"}},
	"base-from-arg":      {[]string{"low 2|ARG BASE\nFROM $BASE", "ARG V\nFROM debian:${V}", "ARG B=replace-me\nFROM $B"}, []string{"ARG BASE=debian:12\nFROM $BASE", "FROM ${BASE:-debian:12}", "FROM x-$TARGETARCH", "ARG D\nFROM debian:$D" + digest}},
	"copy-from-not-pinned": {
		[]string{"hygiene|COPY --from=nginx:1.27 /a /b", "low|COPY --from=nginx /a /b", "low|RUN --mount=type=bind,from=org/tool,target=/t x"},
		[]string{"COPY --from=nginx:1.27" + digest + " /a /b", "FROM a:1 AS b\nFROM c:1\nCOPY --from=b /a /b", "COPY --from=0 /a /b", "COPY --from=context /a /b"},
	},
	"syntax-not-pinned": {[]string{"hygiene 1|# syntax=docker/dockerfile:1\nFROM x:1", "low|# syntax=evil/front:1\nFROM x:1"}, []string{"# syntax=docker/dockerfile:1" + digest + "\nFROM x:1", "FROM x:1\n# syntax=a"}},
	"pipe-to-shell": {
		[]string{
			"medium|RUN curl -fsSL https://x.example/i.sh | sh", "RUN wget -qO- https://x.example/i | bash -s -- -y", "high|RUN curl http://x.example/i | sh", "high|RUN curl -k https://x.example/i | sudo bash",
			"RUN sh -c \"$(curl -fsSL https://x.example/i)\"", "RUN bash <(curl -s https://x.example/i)", "RUN source <(curl -s https://x.example/i)", "RUN curl https://x.example/i | gunzip | sh", "RUN bash -c \"$(wget -qO- https://x.example/i)\"", "RUN python3 -c \"$(curl https://x.example/i)\"", "RUN curl https://x.example/i | sudo -u x -E bash -x -", "CMD curl https://x.example/i | sh", "RUN curl https://x.example/i | env A=b sh", "RUN curl https://x.example/i | tee /x | python3 -", "RUN curl -sS https://x.example/installer | php -- --install-dir=/usr/bin",
			"medium 3|RUN a && \\\n curl https://x.example/i | sh", "RUN [\"sh\", \"-c\", \"curl https://x.example/i | sh\"]", "RUN <<EOF\ncurl https://x.example/i | sh\nEOF", "ONBUILD RUN curl https://x.example/i | sh",
		},
		[]string{
			"RUN curl https://x.example/i | tar xz", "RUN curl https://x.example/i | sh -c 'cat > /x'", "RUN curl https://x.example/j | python3 -c 'import json'", "RUN curl https://x.example/j | python3 -m json.tool",
			"RUN curl -o i https://x.example/i && sha256sum -c i.sum && sh i", "RUN echo 'curl https://x.example/i | sh'", "RUN cat x | sh", "RUN curl https://x.example/j | node -p x", "RUN curl https://x.example/j | perl -ne 1",
		},
	},
	"download-not-verified": {
		[]string{
			"low|RUN curl -Lo /usr/bin/yq https://x.example/yq && chmod +x /usr/bin/yq", "RUN wget https://x.example/a.deb && dpkg -i a.deb", "medium|RUN wget -O i.sh https://x.example/i.sh && sh i.sh", "RUN curl -LO https://x.example/kubectl && install -m 755 kubectl /usr/bin",
			"hygiene|RUN curl -L https://x.example/a.tgz | tar xz", "low|RUN wget https://x.example/yq && mv yq /usr/bin/tool && chmod +x /usr/bin/tool", "low 2|RUN curl -o tool https://x.example/t\nRUN chmod +x tool", "medium|RUN curl -L http://x.example/a > /bin/a && chmod 755 /bin/a",
		},
		[]string{"RUN curl -Lo yq https://x.example/yq && echo \"x yq\" | sha256sum -c && chmod +x yq", "RUN curl -LO https://x.example/a.txt", "RUN wget https://x.example/a.deb && gpg --verify a.asc && dpkg -i a.deb", "RUN chmod +x /x", "RUN curl -o tool https://x.example/t\nRUN sha256sum -c s\nRUN chmod +x tool"},
	},
	"add-not-verified":   {[]string{"low|ADD https://x.example/a.tgz /a", "medium|ADD http://x.example/a /a", "ARG V=1\nFROM x:1\nARG V\nADD https://x.example/$V /a"}, []string{"ADD --checksum=sha256:aa https://x.example/a /a", "ADD a.tgz /a"}},
	"add-git-not-pinned": {[]string{"low|ADD https://x.example/r.git /r", "ADD git@x.example:r.git#main /r"}, []string{"ADD https://x.example/r.git#0123456789abcdef0123456789abcdef01234567 /r", "ADD r /r"}},
	"git-clone-not-pinned": {
		[]string{"low|RUN git clone https://x.example/r", "hygiene|RUN git clone -b v1 https://x.example/r", "low|RUN git clone --depth=1 --branch=main https://x.example/r", "RUN git clone https://x.example/r && cd r && git checkout main"},
		[]string{"RUN git clone https://x.example/r && cd r && git checkout 0123456789abcdef0123456789abcdef01234567", "RUN git clone https://x.example/r && git -C r checkout $COMMIT", "RUN git pull", "RUN git clone /src r"},
	},
	"plain-http": {
		[]string{"medium|RUN curl -O http://x.example/a", "RUN wget http://x.example/a", "ENV U=http://x.example\nRUN curl $U/a -o a", "RUN git clone http://x.example/r"},
		[]string{"RUN curl -O https://x.example/a", "RUN curl http://localhost:80/", "HEALTHCHECK CMD curl -f http://x.example/", "RUN curl -O http://x.example/a && sha256sum -c a.sum", "RUN curl -s -o /dev/null http://x.example/"},
	},
	"tls-not-verified": {
		[]string{
			"high|RUN curl -k https://x.example/a -o a", "RUN curl -sSLk https://x.example/a", "RUN wget --no-check-certificate https://x.example/a", "RUN git -c http.sslVerify=false clone https://x.example/r", "RUN git config --global http.sslVerify false",
			"RUN npm config set strict-ssl false", "ENV NODE_TLS_REJECT_UNAUTHORIZED=0", "RUN export GIT_SSL_NO_VERIFY=1", "ENV PYTHONHTTPSVERIFY 0", "low|RUN curl -k https://x.example/a -o a && sha256sum -c s",
		},
		[]string{"RUN curl -o k https://x.example/a", "RUN curl -fsSLo /tmp/kk https://x.example/", "HEALTHCHECK CMD curl -k https://localhost/", "ENV NODE_TLS_REJECT_UNAUTHORIZED=1", "RUN curl -okube https://x.example/"},
	},
	"decode-and-run": {
		[]string{"high|RUN echo ZWNobyAx | base64 -d | sh", "RUN sh -c \"$(echo ZWNobyAx | base64 --decode)\"", "RUN eval \"$(curl https://x.example/env)\"", "RUN python3 -c 'import base64;exec(base64.b64decode(\"cHJpbnQoMSk=\"))'", "RUN bash -c 'base64 -d x | bash'"},
		[]string{"RUN base64 -d x > y", "RUN eval \"$(ssh-agent)\"", "RUN echo x | base64 | sh"},
	},
	"key-not-verified": {
		[]string{"low|RUN curl https://x.example/k | apt-key add -", "RUN curl https://x.example/k | gpg --dearmor -o /k", "RUN rpm --import https://x.example/k", "RUN wget -O /etc/apk/keys/k.pub https://x.example/k", "RUN apt-key adv --keyserver x --recv-keys 0123ABCD"},
		[]string{"RUN gpg --recv-keys 0123456789ABCDEF0123456789ABCDEF01234567", "RUN curl https://x.example/k -o k && sha256sum -c k.sum && gpg --dearmor < k", "RUN rpm --import /etc/pki/k", "RUN gpg --dearmor -o /k /k.asc"},
	},
	"unsigned-packages": {
		[]string{"high|RUN apt-get install -y --allow-unauthenticated x", "RUN yum install -y --nogpgcheck x", "RUN echo 'deb [trusted=yes] https://x.example/ ./' > /etc/apt/sources.list", "RUN zypper --no-gpg-checks in x", "RUN apt-get -o Acquire::AllowInsecureRepositories=true update", "RUN rpm -i --nosignature x.rpm", "RUN echo 'APT::Get::AllowUnauthenticated \"true\";' > /etc/apt/apt.conf.d/9", "RUN dnf install -y --setopt=*.gpgcheck=0 x", "RUN printf '[x]\\ngpgcheck=0\\n' > /etc/yum.repos.d/x.repo"},
		[]string{"RUN apt-get install -y x", "RUN yum install -y x", "RUN echo 'deb [signed-by=/k] https://x.example/ ./' > /etc/apt/sources.list"},
	},
	"apk-untrusted": {[]string{"high|RUN apk add --allow-untrusted x.apk", "low|RUN sha256sum -c s && apk add --allow-untrusted x.apk"}, []string{"RUN apk add x"}},
	"package-index": {
		[]string{"medium|RUN pip install --trusted-host x.example a", "RUN pip install -i http://x.example/simple a", "RUN pip3 install --extra-index-url https://x.example/simple a", "RUN npm install --registry http://x.example a", "ENV PIP_EXTRA_INDEX_URL=https://x.example/", "RUN pip config set global.index-url http://x.example/", "RUN pip config set global.trusted-host x.example", "RUN npm config set registry http://x.example/"},
		[]string{"RUN pip install -i https://x.example/simple a", "RUN pip install torch --extra-index-url https://download.pytorch.org/whl/cpu", "RUN npm install --registry https://x.example a"},
	},
	"go-checksums-off":    {[]string{"medium|ENV GOSUMDB=off", "RUN GONOSUMDB=* go get x@v1", "RUN go env -w GOINSECURE=x.example", "RUN GOFLAGS=-insecure go get x", "ARG GOINSECURE=x"}, []string{"ENV GOPRIVATE=x.example", "RUN GOFLAGS=-mod=mod go build"}},
	"lock-ignored":        {[]string{"hygiene|RUN npm install", "RUN yarn install --no-lockfile", "RUN pnpm i --no-frozen-lockfile", "RUN npm i --production"}, []string{"RUN npm ci", "RUN npm install -g x@1", "RUN yarn install", "RUN npm install x@1"}},
	"unpinned-package":    {[]string{"hygiene|RUN pip install a", "RUN npm install -g a", "RUN gem install a", "RUN go install x.example/a@latest", "RUN python3 -m pip install a b==1", "RUN yarn global add a@latest", "RUN cargo install --locked a"}, []string{"RUN pip install a==1", "RUN pip install -r r.txt", "RUN npm install a@1.2", "RUN npm install @o/a@1.2", "RUN gem install a -v 1", "RUN go install x.example/a@v1", "RUN pip install .", "RUN pip install --upgrade pip", "RUN cargo install a --version 1", "RUN cargo install a@1", "RUN cargo install --path ."}},
	"unpinned-os-package": {[]string{"hygiene|RUN apt-get install -y a", "RUN apk add a", "RUN dnf install -y nginx"}, []string{"RUN apt-get install -y a=1", "RUN apk add a=1", "RUN apk add --virtual .deps a=1", "RUN apt-get update"}},
	"os-upgrade":          {[]string{"hygiene|RUN apt-get upgrade -y", "RUN apk upgrade", "RUN yum update -y"}, []string{"RUN apt-get update && apt-get install -y a", "RUN apk upgrade openssl", "RUN yum update -y openssl"}},
	"apt-recommends":      {[]string{"hygiene|RUN apt-get install -y a"}, []string{"RUN apt-get install -y --no-install-recommends a", "RUN apt-get -o APT::Install-Recommends=false install a"}},
	"package-cache":       {[]string{"hygiene|RUN apt-get install -y a", "RUN apk add a", "RUN dnf install -y a", "RUN pip install a==1"}, []string{"RUN apt-get install -y a && rm -rf /var/lib/apt/lists/*", "RUN apk add --no-cache a", "RUN dnf install -y a && dnf clean all", "RUN pip install --no-cache-dir a", "ENV PIP_NO_CACHE_DIR=1\nRUN pip install a", "RUN --mount=type=cache,target=/var/cache/apt apt-get install -y a"}},
	"apt-for-people":      {[]string{"hygiene|RUN apt install -y a"}, []string{"RUN apt-get install -y a", "RUN apt-cache policy"}},
	"apt-asks":            {[]string{"hygiene|RUN apt-get install a", "RUN yum install a"}, []string{"RUN apt-get install -y a", "RUN apt-get -qqy install a", "RUN DEBIAN_FRONTEND=x apt-get install --yes a", "RUN dnf -y install a"}},
	"update-alone":        {[]string{"hygiene|RUN apt-get update"}, []string{"RUN apt-get update && apt-get install -y a", "RUN apt-get update && ./x.sh"}},
	"secret-in-env":       {[]string{"high|ENV DB_PASSWORD=hunter2", "low|ARG NPM_TOKEN", "ENV DB_PASS=x", "ENV AWS_ACCESS_KEY_ID=x", "ENV PGPASSWORD=x", "ENV SECRET_KEY_BASE x", "medium|ARG T\nENV API_KEY=$T", "high|ARG ADMIN_PASSWORD=x", "high 3|ENV A=1 \\\n  AWS_SECRET_ACCESS_KEY=x"}, []string{"ENV PASSWORD_FILE=/run/x", "ENV DB_PASSWORD=", "ENV TOKEN_URL=https://x.example", "ENV MAX_TOKENS=5", "ENV PUBLIC_KEY=x", "ENV SECRET_ENABLED=true", "ENV PATH=/x", "ENV PASSWORD_MIN_LENGTH=8", "ENV BYPASS=1", "ENV KEY_ID=x", "ENV COMPASS=x"}},
	"password-set":        {[]string{"high|RUN echo 'root:hunter2' | chpasswd", "RUN useradd -p abc x", "RUN echo x | passwd --stdin root", "RUN passwd -d root"}, []string{"RUN echo \"root:$P\" | chpasswd", "RUN useradd x", "RUN passwd -l root"}},
	"copy-all":            {[]string{"low|COPY . /app", "hygiene|FROM a:1 AS b\nCOPY . .\nFROM c:1\nCOPY --from=b /x /x", "ADD ./ /app"}, []string{"COPY src /app", "FROM a:1 AS b\nFROM c:1\nCOPY --from=b . /x"}},
	"secret-written":      {[]string{"high|RUN --mount=type=secret,id=npm cp /run/secrets/npm /root/.npmrc", "RUN --mount=type=secret,id=t echo \"token=$(cat /run/secrets/t)\" >> /etc/x", "RUN --mount=type=secret,id=t,target=/t cat /t > /x", "RUN --mount=type=secret,id=t,env=TOK echo $TOK > /x", "RUN --mount=type=secret,id=t npm config set //r/:_authToken=$(cat /run/secrets/t)", "RUN --mount=type=secret,id=t cat /run/secrets/t | tee /x"}, []string{"RUN --mount=type=secret,id=t T=$(cat /run/secrets/t) npm ci", "RUN --mount=type=secret,id=t cp /run/secrets/t /x && npm ci && rm /x", "RUN --mount=type=secret,id=t,target=/root/.npmrc npm ci"}},
	"key-copied":          {[]string{"medium|COPY id_rsa /root/.ssh/id_rsa", "ADD .env /app/", "COPY certs/server.key.pem /x"}, []string{"COPY id_rsa.pub /x", "COPY .env.example /x", "FROM a:1 AS b\nFROM c:1\nCOPY --from=b /.env /x"}},
	"root-user":           {[]string{"medium 1|FROM debian:12", "USER root", "USER 0:0", "low|FROM x.example/y:1", "medium|FROM amd64/debian:12", "hygiene|ARG B\nFROM $B", "hygiene|ENTRYPOINT [\"gosu\", \"x\", \"y\"]", "medium|FROM registry.access.redhat.com/ubi9/ubi-minimal", "FROM debian:12 AS b\nUSER x\nFROM debian:12", "USER x\nUSER root", "ARG U=root\nFROM debian:12\nARG U\nUSER $U"}, []string{"USER 65532", "FROM debian:12 AS b\nUSER x\nFROM b", "FROM gcr.io/distroless/static:nonroot", "FROM scratch\nCOPY a /a", "USER $UNKNOWN"}},
	"privileged-build":    {[]string{"high|RUN --security=insecure x", "medium|RUN --network=host x"}, []string{"RUN --network=none x", "RUN x"}},
	"sudo":                {[]string{"low|RUN sudo apt-get update", "RUN apt-get install -y sudo", "medium|RUN echo 'u ALL=(ALL) NOPASSWD:ALL' > /etc/sudoers.d/u"}, []string{"RUN apt-get install -y a", "RUN echo sudo"}},
	"world-writable":      {[]string{"low|RUN chmod 777 /x", "RUN chmod -R a+rwx /x", "COPY --chmod=0777 a /a", "RUN chmod o+w /x"}, []string{"RUN chmod 1777 /tmp", "RUN chmod 755 /x", "RUN chmod +x /x", "RUN chmod g+w /x"}},
	"setuid":              {[]string{"medium|RUN chmod u+s /x", "RUN chmod 4755 /x", "RUN chmod +s /x"}, []string{"RUN chmod u-s /x", "RUN chmod 0755 /x", "RUN chmod 1777 /x", "RUN chmod u+x /x"}},
	"ssh-port":            {[]string{"medium|EXPOSE 22", "EXPOSE 80 22/tcp", "ENV P=22\nEXPOSE $P"}, []string{"EXPOSE 2200", "EXPOSE 80"}},
	"database-port":       {[]string{"hygiene|EXPOSE 5432", "EXPOSE 6379/tcp"}, []string{"EXPOSE 8080"}},
	"invalid-port":        {[]string{"hygiene|EXPOSE 80000", "EXPOSE a", "EXPOSE 80/http", "EXPOSE 90-80"}, []string{"EXPOSE 80-90/udp", "EXPOSE $P", "EXPOSE 65535"}},
	"invalid":             {[]string{"hygiene 2|FROM x:1\nBASH y", "COPY a"}, []string{"RUN y"}},
	"add-for-copy":        {[]string{"hygiene|ADD a /a", "add a b /c/"}, []string{"ADD a.tar.gz /a", "ADD https://x.example/a /a", "COPY a /a", "ADD *.t* /a"}},
	"relative-workdir":    {[]string{"hygiene|WORKDIR app"}, []string{"WORKDIR /app", "WORKDIR /a\nWORKDIR b", "WORKDIR $X", "WORKDIR C:\\\\x"}},
	"cd-without-effect":   {[]string{"hygiene|RUN cd /app", "RUN make && cd /x"}, []string{"RUN cd /app && make", "RUN cd a && x && cd ..", "WORKDIR /app"}},
	"several-commands":    {[]string{"hygiene 2|FROM x:1\nCMD [\"a\"]\nCMD [\"b\"]", "ENTRYPOINT [\"a\"]\nENTRYPOINT [\"b\"]"}, []string{"FROM x:1\nCMD [\"a\"]\nFROM y:1\nCMD [\"b\"]"}},
	"unknown-stage":       {[]string{"hygiene 2|FROM a:1\nCOPY --from=build /a /b"}, []string{"FROM a:1 AS build\nFROM b:1\nCOPY --from=build /a /b", "FROM b:1\nCOPY --from=nginx:1 /a /b", "FROM a:1\nFROM b:1\nCOPY --from=0 /a /b"}},
	"env-self":            {[]string{"hygiene|ENV A=b C=$A", "ENV A=/x PATH=\"${A}/bin:$PATH\""}, []string{"ENV A=b C=$D", "ENV A=b\nENV C=$A", "ENV PATH=/x:$PATH", "ENV A=b AB=c D=$ABC"}},
	"high-uid":            {[]string{"hygiene|RUN useradd -u 1234567 x", "RUN useradd --uid=100000 x"}, []string{"RUN useradd -l -u 1234567 x", "RUN useradd -u 10001 x", "RUN useradd -u $U x"}},
	"maintainer":          {[]string{"hygiene|MAINTAINER x"}, []string{"LABEL maintainer=x"}},
	"shell-form":          {[]string{"hygiene|CMD a", "ENTRYPOINT a b"}, []string{"CMD [\"a\"]", "ENTRYPOINT exec a", "SHELL [\"powershell\"]\nCMD a"}},
	"no-healthcheck":      {[]string{"hygiene 1|FROM x:1"}, []string{"HEALTHCHECK NONE", "FROM a:1 AS b\nHEALTHCHECK CMD a\nFROM b", "FROM scratch\nCOPY a /a"}},
	"no-pipefail":         {[]string{"hygiene|RUN curl https://x.example/a | tar x"}, []string{"SHELL [\"/bin/bash\", \"-o\", \"pipefail\", \"-c\"]\nRUN curl https://x.example/a | tar x", "RUN set -eo pipefail; curl https://x.example/a | tar x", "RUN echo a | cat"}},
	"same-stage-name":     {[]string{"hygiene 2|FROM a:1 AS x\nFROM b:1 AS X"}, []string{"FROM a:1 AS x\nFROM b:1 AS y", "FROM a:1\nFROM b:1"}},
	"copy-from-self":      {[]string{"hygiene|FROM a:1 AS x\nCOPY --from=x /a /b"}, []string{"FROM a:1 AS x\nFROM b:1\nCOPY --from=x /a /b"}},
	"copy-several":        {[]string{"hygiene|COPY a b /c"}, []string{"COPY a b /c/", "COPY a /c", "WORKDIR /x\nCOPY a b ."}},
	"copy-relative":       {[]string{"hygiene|COPY a b", "WORKDIR /x\nFROM y:1\nCOPY a ."}, []string{"COPY a /b", "WORKDIR /x\nCOPY a b", "COPY a $X", "FROM z:1 AS q\nWORKDIR /x\nFROM q\nCOPY a ."}},
	"fixed-platform":      {[]string{"hygiene 1|FROM --platform=linux/amd64 x:1"}, []string{"FROM --platform=$BUILDPLATFORM x:1"}},
	"pointless-command":   {[]string{"hygiene|RUN service x start", "RUN vim x"}, []string{"RUN systemctl enable x", "RUN echo ssh"}},
}

func TestExamples(t *testing.T) {
	o := Options{Registries: []string{"docker.io", "good.example.org/team/"}}
	for _, r := range rules() {
		id := strings.TrimPrefix(r.ID, "dockerfile/")
		ex, ok := examples[id]
		if !ok || len(ex.bad) == 0 || len(ex.good) == 0 || r.Why == "" || r.Noise == "" || r.Fix == "" || r.Title == "" {
			t.Errorf("%s lacks an example, a reason, a note on false alarms, a fix or a title", id)
		}
		options := Options{}
		if id == "untrusted-registry" {
			options = o
		}
		for _, text := range ex.bad {
			want := wanted.FindString(text)
			text = text[len(want):]
			want = strings.TrimSuffix(want, "|")
			f := findingOf(t, options, r.ID, text)
			if f == nil {
				t.Errorf("%s is not found in %q", id, text)
				continue
			}
			if !matches(want, f) {
				t.Errorf("%s in %q: %s, want %s", id, text, describe(f), want)
			}
		}
		for _, text := range ex.good {
			if f := findingOf(t, options, r.ID, text); f != nil {
				t.Errorf("%s is found in %q: %s %q", id, text, f.Subject, f.Evidence)
			}
		}
	}
	for id := range examples {
		if !slices.ContainsFunc(New(Options{}).Rules(), func(r bulwark.Rule) bool { return r.ID == "dockerfile/"+id }) {
			t.Errorf("there is no rule %s", id)
		}
	}
}

// wanted is what may stand in front of an example.
var wanted = regexp.MustCompile(`^(low|medium|high|hygiene)?( ?\d+)?\|`)

func describe(f *bulwark.Finding) string {
	level := f.Severity.String()
	if slices.Contains(f.Tags, "hygiene") {
		level = "hygiene"
	}
	return fmt.Sprintf("%s %d", level, f.Line)
}

// matches compares a finding with "severity line", either of which may be missing.
func matches(want string, f *bulwark.Finding) bool {
	level, line, _ := strings.Cut(describe(f), " ")
	for _, w := range strings.Fields(want) {
		if w != level && w != line {
			return false
		}
	}
	return true
}

func findingOf(t *testing.T, o Options, rule, text string) *bulwark.Finding {
	t.Helper()
	if !strings.Contains(text, "FROM ") {
		text = "FROM debian:12\n" + text
	} else if at := strings.Index(text, "FROM "); at > 0 && !strings.HasPrefix(text, "ARG") && !strings.HasPrefix(text, "#") {
		text = "FROM debian:12\n" + text
	}
	list, notes := judged(t, o, document("Dockerfile", text+"\n"))
	if len(notes) > 0 {
		t.Errorf("%q: %v", text, notes)
	}
	i := slices.IndexFunc(list, func(f *bulwark.Finding) bool { return f.Rule == rule })
	if i < 0 {
		return nil
	}
	return list[i]
}
