package main

import (
	"archive/zip"
	"bytes"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
)

// base is a file system as debootstrap made it when Debian 12 came out.
func base() map[string]file {
	var status strings.Builder
	for _, p := range [][3]string{ // package, version, source
		{"bash", "5.2.15-2+b2", "bash (5.2.15-2)"},
		{"libc6", "2.36-9", "glibc"},
		{"libc-bin", "2.36-9", "glibc"},
		{"libssl3", "3.0.9-1", "openssl"},
		{"openssl", "3.0.9-1", ""},
		{"curl", "7.88.1-10", ""},
		{"libcurl4", "7.88.1-10", "curl"},
		{"libwebp7", "1.2.4-0.2", "libwebp"},
		{"openssh-server", "1:9.2p1-2", "openssh"},
		{"libgnutls30", "3.7.9-2", "gnutls28"},
		{"libkrb5-3", "1.20.1-2", "krb5"},
		{"perl-base", "5.36.0-7", "perl"},
		{"libexpat1", "2.5.0-1", "expat"},
		{"zlib1g", "1:1.2.13.dfsg-1", "zlib"},
		{"linux-libc-dev", "6.1.27-1", "linux"},
		{"tzdata", "2024a-0+deb12u1", ""},
	} {
		fmt.Fprintf(&status, "Package: %s\nStatus: install ok installed\nArchitecture: amd64\n", p[0])
		if p[2] != "" {
			fmt.Fprintf(&status, "Source: %s\n", p[2])
		}
		fmt.Fprintf(&status, "Version: %s\nDescription: as Debian 12.0 had it\n\n", p[1])
	}
	return map[string]file{
		"etc/os-release":      text("PRETTY_NAME=\"Debian GNU/Linux 12 (bookworm)\"\nID=debian\nVERSION_ID=\"12\"\nVERSION_CODENAME=bookworm\n"),
		"etc/debian_version":  text("12.0\n"),
		"var/lib/dpkg/status": text(status.String()),
	}
}

// application is what a developer put on top.
func application(program []byte) map[string]file {
	files := map[string]file{
		"usr/local/bin/greet": {program, 0o755},
		"srv/app/server.js":   text("require('express')\n"),
		"srv/app/.env":        text("GITHUB_TOKEN=" + token() + "\n"),
	}
	for name, version := range map[string]string{"lodash": "4.17.15", "minimist": "1.2.0", "axios": "0.21.0", "jsonwebtoken": "8.5.1", "express": "4.21.2"} {
		files["srv/app/node_modules/"+name+"/package.json"] = text(fmt.Sprintf("{\"name\": %q, \"version\": %q, \"license\": \"MIT\"}\n", name, version))
	}
	for name, version := range map[string]string{"requests": "2.19.1", "PyYAML": "5.3", "Jinja2": "2.11.2", "six": "1.16.0"} {
		dir := fmt.Sprintf("usr/local/lib/python3.11/site-packages/%s-%s.dist-info/", name, version)
		files[dir+"METADATA"] = text(fmt.Sprintf("Metadata-Version: 2.1\nName: %s\nVersion: %s\n", name, version))
	}
	log4j := jar("org.apache.logging.log4j", "log4j-core", "2.14.1", nil)
	files["srv/app/service.war"] = file{jar("com.example", "service", "1.0.0", map[string][]byte{
		"WEB-INF/lib/log4j-core-2.14.1.jar":  log4j,
		"WEB-INF/lib/commons-text-1.9.jar":   jar("org.apache.commons", "commons-text", "1.9", nil),
		"WEB-INF/lib/commons-lang3-3.17.jar": jar("org.apache.commons", "commons-lang3", "3.17.0", nil),
	}), 0o644}
	return files
}

// jar makes a Java archive that knows its Maven coordinates.
func jar(group, artifact, version string, more map[string][]byte) []byte {
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	add := func(name string, data []byte) {
		w, err := z.Create(name)
		if err == nil {
			_, err = w.Write(data)
		}
		if err != nil {
			panic(err) // a buffer in memory does not fail
		}
	}
	add("META-INF/maven/"+group+"/"+artifact+"/pom.properties", fmt.Appendf(nil, "groupId=%s\nartifactId=%s\nversion=%s\n", group, artifact, version))
	for _, name := range slices.Sorted(maps.Keys(more)) {
		add(name, more[name])
	}
	if err := z.Close(); err != nil {
		panic(err)
	}
	return b.Bytes()
}

// goProgram builds a program that links a vulnerable function of golang.org/x/text.
func goProgram() ([]byte, error) {
	dir, err := os.MkdirTemp("", "bulwark-demo-")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir)
	for name, content := range map[string]string{
		"go.mod":  "module example.com/greet\n\ngo 1.21\n\nrequire golang.org/x/text v0.3.7\n",
		"main.go": "package main\n\nimport (\n\t\"fmt\"\n\t\"os\"\n\n\t\"golang.org/x/text/language\"\n)\n\nfunc main() { fmt.Println(language.ParseAcceptLanguage(os.Getenv(\"LANG\"))) }\n",
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(content), 0o644); err != nil {
			return nil, err
		}
	}
	for _, args := range [][]string{{"mod", "tidy"}, {"build", "-trimpath", "-ldflags=-s -w", "-o", "greet", "."}} {
		c := exec.Command("go", args...)
		c.Dir = dir
		c.Env = append(os.Environ(), "CGO_ENABLED=0", "GOOS=linux", "GOFLAGS=-mod=mod", "GOWORK=off")
		if out, err := c.CombinedOutput(); err != nil {
			return nil, fmt.Errorf("go %s: %w\n%s", args[0], err, out)
		}
	}
	return os.ReadFile(filepath.Join(dir, "greet"))
}
