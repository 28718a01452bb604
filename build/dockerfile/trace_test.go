package dockerfile

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"bulwark"
)

const traced = `ARG VERSION=3.20
FROM golang:1.24 AS build
WORKDIR /src
COPY . .
RUN go build -o /out/app
FROM alpine:${VERSION} AS base
ARG USERNAME=app
ENV MODE=production LEVEL=2
RUN apk add --no-cache \
      curl \
      git
FROM base
WORKDIR /srv
SHELL ["/bin/ash", "-eo", "pipefail", "-c"]
COPY --from=build --chown=app:app /out/app /usr/bin/app
RUN --mount=type=cache,target=/c adduser -D $USERNAME && echo done
RUN <<EOF
echo one
echo two
EOF
COPY a.txt b.txt conf/
EXPOSE 8080 53/udp
VOLUME ["/data"]
LABEL a=b
ONBUILD RUN echo later
HEALTHCHECK CMD curl -f http://localhost/ || exit 1
USER app
ENTRYPOINT ["/usr/bin/app", "serve"]
CMD ["--all"]
`

// the lines that the histories below have of it
var tracedLines = []int{0, 0, 7, 8, 9, 13, 14, 15, 16, 17, 21, 22, 23, 24, 25, 26, 27, 28, 29}

var histories = map[string][]string{
	"BuildKit": {"ADD alpine-minirootfs-3.20.0-x86_64.tar.gz / # buildkit", `CMD ["/bin/sh"]`,
		"ARG USERNAME=app", "ENV MODE=production LEVEL=2", "RUN |1 USERNAME=app /bin/sh -c apk add --no-cache       curl       git # buildkit",
		"WORKDIR /srv", "SHELL [/bin/ash -eo pipefail -c]", "COPY --chown=app:app /out/app /usr/bin/app # buildkit",
		"RUN |1 USERNAME=app /bin/ash -eo pipefail -c adduser -D $USERNAME && echo done # buildkit",
		"RUN |1 USERNAME=app /bin/ash -eo pipefail -c echo one\necho two\n # buildkit", "COPY a.txt b.txt conf/ # buildkit",
		"EXPOSE map[53/udp:{} 8080/tcp:{}]", "VOLUME [/data]", "LABEL a=b", "ONBUILD RUN echo later",
		`HEALTHCHECK &{["CMD-SHELL" "curl -f http://localhost/ || exit 1"] "0s" "0s" "0s" "0s" '\x00'}`, "USER app", `ENTRYPOINT ["/usr/bin/app" "serve"]`, `CMD ["--all"]`},
	"classic": {"/bin/sh -c #(nop) ADD file:0123456789abcdef in / ", `/bin/sh -c #(nop)  CMD ["/bin/sh"]`,
		"/bin/sh -c #(nop)  ARG USERNAME=app", "/bin/sh -c #(nop)  ENV MODE=production LEVEL=2", "|1 USERNAME=app /bin/sh -c apk add --no-cache       curl       git",
		"/bin/sh -c #(nop) WORKDIR /srv", "/bin/sh -c #(nop)  SHELL [/bin/ash -eo pipefail -c]", "/bin/sh -c #(nop) COPY --chown=app:appfile:0123 in /usr/bin/app ",
		"|1 USERNAME=app /bin/ash -eo pipefail -c adduser -D $USERNAME && echo done", "|1 USERNAME=app /bin/ash -eo pipefail -c echo one\necho two\n",
		"/bin/sh -c #(nop) COPY multi:0123 in conf/ ", "/bin/sh -c #(nop)  EXPOSE 53/udp 8080", "/bin/sh -c #(nop)  VOLUME [/data]", "/bin/sh -c #(nop)  LABEL a=b",
		"/bin/sh -c #(nop)  ONBUILD RUN echo later", `/bin/sh -c #(nop)  HEALTHCHECK &{["CMD-SHELL" "curl -f http://localhost/ || exit 1"] "0s"}`,
		"/bin/sh -c #(nop)  USER app", `/bin/sh -c #(nop)  ENTRYPOINT ["/usr/bin/app" "serve"]`, `/bin/sh -c #(nop)  CMD ["--all"]`},
	"Podman": {"/bin/sh -c #(nop) ADD file:0123 in /", `/bin/sh -c #(nop) CMD ["/bin/sh"]`,
		`/bin/sh -c #(nop) ARG USERNAME="app"`, `/bin/sh -c #(nop) ENV MODE=production LEVEL=2`, `|1 USERNAME=app /bin/sh -c apk add --no-cache       curl       git`,
		"/bin/sh -c #(nop) WORKDIR /srv", `/bin/sh -c #(nop) SHELL ["/bin/ash", "-eo", "pipefail", "-c"]`, "/bin/sh -c #(nop) COPY file:0123 in /usr/bin/app ",
		"|1 USERNAME=app /bin/ash -eo pipefail -c adduser -D $USERNAME && echo done", "|1 USERNAME=app /bin/ash -eo pipefail -c echo one\necho two\n",
		"/bin/sh -c #(nop) COPY multi:0123 in /srv/conf/ ", "/bin/sh -c #(nop) EXPOSE 8080 53/udp", `/bin/sh -c #(nop) VOLUME ["/data"]`, "/bin/sh -c #(nop) LABEL a=b",
		"/bin/sh -c #(nop) ONBUILD RUN echo later", `/bin/sh -c #(nop) HEALTHCHECK CMD curl -f http://localhost/ || exit 1`,
		"/bin/sh -c #(nop) USER app", `/bin/sh -c #(nop) ENTRYPOINT ["/usr/bin/app", "serve"]`, `/bin/sh -c #(nop) CMD ["--all"]`},
	"kaniko": {"ADD alpine-minirootfs-3.20.0-x86_64.tar.gz / # buildkit", `CMD ["/bin/sh"]`,
		"ARG USERNAME=app", "ENV MODE=production LEVEL=2", "RUN apk add --no-cache       curl       git", "WORKDIR /srv", `SHELL ["/bin/ash", "-eo", "pipefail", "-c"]`,
		"COPY --from=build --chown=app:app /out/app /usr/bin/app", "RUN adduser -D $USERNAME && echo done", "RUN echo one\necho two\n", "COPY a.txt b.txt conf/",
		"EXPOSE 8080 53/udp", `VOLUME ["/data"]`, "LABEL a=b", "ONBUILD RUN echo later", "HEALTHCHECK CMD curl -f http://localhost/ || exit 1", "USER app",
		`ENTRYPOINT ["/usr/bin/app", "serve"]`, `CMD ["--all"]`},
}

func linesOf(made []*Instruction) []int {
	var out []int
	for _, i := range made {
		if i == nil {
			out = append(out, 0)
			continue
		}
		out = append(out, i.First)
	}
	return out
}

func TestTrace(t *testing.T) {
	f, err := Parse([]byte(traced))
	if err != nil {
		t.Fatal(err)
	}
	for name, history := range histories {
		s, made, err := f.Trace(history)
		if got := linesOf(made); err != nil || s.Index != 2 || !slices.Equal(got, tracedLines) {
			t.Errorf("%s: %v, %v\nwant %v", name, got, err, tracedLines)
		}
		// Builders that keep no ARG, and labels of the command line.
		fewer := slices.DeleteFunc(slices.Clone(history), func(h string) bool { return strings.Contains(h, "ARG ") })
		if _, made, err := f.Trace(append(fewer, "LABEL revision=1")); err != nil || !slices.Equal(linesOf(made)[:4], []int{0, 0, 8, 9}) {
			t.Errorf("%s without ARG: %v, %v", name, linesOf(made), err)
		}
		// An earlier stage as the target.
		if s, made, err := f.Trace(history[:5]); err != nil || s.Index != 1 || made[4].First != 9 {
			t.Errorf("%s, stage base: %v, %v", name, linesOf(made), err)
		}
		// A line that is missing, changed or more makes it another file.
		for k := 3; k < len(history); k++ {
			without := slices.Delete(slices.Clone(history), k, k+1)
			more := slices.Insert(slices.Clone(history), k, "RUN /bin/sh -c rm -rf /nothing # buildkit")
			for _, h := range [][]string{without, more} {
				if _, made, err := f.Trace(h); !errors.Is(err, bulwark.ErrNotFound) && k > 4 && !strings.Contains(history[k], "LABEL") {
					t.Errorf("%s, line %d (%q) gone or one more: %v, %v", name, k, history[k], linesOf(made), err)
				}
			}
		}
	}
}

func TestTraceOthers(t *testing.T) {
	for name, tt := range map[string]struct {
		file    string
		history []string
		want    string // of the error; "": it fits
	}{
		"other command":      {"FROM a\nRUN echo one\n", []string{"RUN /bin/sh -c echo two # buildkit"}, "line 2 (RUN)"},
		"other value":        {"FROM a\nENV A=1\n", []string{"ENV A=2"}, "line 2 (ENV)"},
		"variable kept":      {"FROM a\nARG D=/srv\nARG W=app\nWORKDIR $D\nCOPY $W $D\nUSER $W\n", []string{"/bin/sh -c #(nop) ARG D=/srv", "/bin/sh -c #(nop) ARG W=app", "/bin/sh -c #(nop) WORKDIR $D", "/bin/sh -c #(nop) COPY file:01 in $D", "/bin/sh -c #(nop) USER $W"}, ""},
		"other shell":        {"FROM a\nSHELL [\"/bin/bash\", \"-c\"]\nUSER app\n", []string{"/bin/bash -c #(nop)  SHELL [/bin/bash -c]", "/bin/bash -c #(nop)  USER app"}, ""},
		"other user":         {"FROM a\nUSER one\n", []string{"USER two"}, "line 2 (USER)"},
		"other place":        {"FROM a\nCOPY x /y\n", []string{"COPY x /z # buildkit"}, "line 2 (COPY)"},
		"other source":       {"FROM a\nCOPY x /y\n", []string{"COPY z /y # buildkit"}, "line 2 (COPY)"},
		"unknown value":      {"FROM a\nARG D\nCOPY x $D\n", []string{"COPY x /srv # buildkit"}, ""},
		"more below scratch": {"FROM scratch\nCOPY x /y\n", []string{"RUN /bin/sh -c echo # buildkit", "COPY x /y # buildkit"}, "begins with nothing"},
		"scratch":            {"FROM scratch\nCOPY x /y\n", []string{"COPY x /y # buildkit"}, ""},
		"no history":         {"FROM scratch\nCOPY x /y\n", nil, "line 2 (COPY)"},
		"no instructions":    {"FROM a\n", []string{"COPY x /y # buildkit"}, "without instructions"},
		"squashed":           {"FROM a\nRUN x\nRUN y\n", []string{""}, "line 3 (RUN)"},
		"exec form":          {"FROM a\nRUN [\"make\", \"all\"]\n", []string{"RUN make all # buildkit"}, ""},
		"classic exec form":  {"FROM a\nRUN [\"make\", \"all\"]\n", []string{"make all"}, ""},
		"shebang heredoc":    {"FROM a\nRUN <<EOF\n#!/bin/sh\necho\nEOF\n", []string{"RUN /bin/sh -c /dev/pipes/EOF # buildkit"}, ""},
		"copied heredoc":     {"FROM a\nCOPY <<EOF /x\ntext\nEOF\n", []string{"COPY <<EOF /x # buildkit"}, ""},
	} {
		f, err := Parse([]byte(tt.file))
		if err != nil {
			t.Fatal(err)
		}
		_, made, err := f.Trace(tt.history)
		if tt.want == "" && (err != nil || made[len(made)-1] == nil) || tt.want != "" && (err == nil || !strings.Contains(err.Error(), tt.want)) {
			t.Errorf("%s: %v, %v, want %q", name, linesOf(made), err, tt.want)
		}
	}
}

func FuzzTrace(f *testing.F) {
	for _, h := range histories {
		f.Add(traced, strings.Join(h, "\x00"))
	}
	f.Fuzz(func(t *testing.T, file, history string) {
		d, err := Parse([]byte(file))
		if err != nil {
			return
		}
		lines := strings.Split(history, "\x00")
		if _, made, err := d.Trace(lines); err == nil && len(made) != len(lines) {
			t.Errorf("%d of %d lines", len(made), len(lines))
		}
	})
}
