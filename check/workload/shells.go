package workload

import (
	"strings"

	"bulwark/internal/lazyregexp"
)

var (
	netcatShell = lazyregexp.New(`\b(?:nc|ncat|netcat|nc\.traditional|nc\.openbsd)\b[^|;&\n]{0,200}\s(?:-[a-z]*[ec]|--exec|--sh-exec|--lua-exec)\s+\S+`)
	bashShell   = lazyregexp.New(`\b(?:ba|z|k|da|a)?sh\b\s*(?:-i\b)?[^;|\n]{0,40}(?:[<>]&?\s*/dev/(?:tcp|udp)/[^\s;]+)`)
	fifoShell   = lazyregexp.New(`\bmk(?:fifo|nod)\b[^\n]{0,200}\|\s*/?(?:\w+/)*(?:ba|da)?sh\b[^\n]{0,100}\|\s*(?:nc|ncat|netcat|telnet|openssl)\b[^\n]{0,80}`)
	socatShell  = lazyregexp.New(`(?i)\bsocat\b[^\n;]{0,200}\b(?:exec|system):['"]?[^\s,]*(?:sh|bash|login|cmd)\b`)
	descriptor  = lazyregexp.New(`/dev/(?:tcp|udp)/[^\n]{0,120}\b(?:ba|z|k|da|a)?sh\b\s*[<>]&?\s*\d+`)
	fedShell    = lazyregexp.New(`\b(?:nc|ncat|netcat|telnet)\s[^|\n]{1,80}\|\s*(?:/\w+)*/?(?:ba|z|k|da|a)?sh\b[^\n]{0,40}`)
	bothWays    = lazyregexp.New(`\bexec\s+(\d+)<>\s*/dev/(?:tcp|udp)/[^\n]{0,300}(?:\bread\b|\beval\b|\b(?:ba|z|k|da)?sh\b)[^\n]{0,120}(?:\$\w+|-i|<&)[^\n]{0,60}>&\s*\d+`)
	awkShell    = lazyregexp.New(`/inet/(?:tcp|udp)/[^\n]{0,300}\bgetline\b`)
	codeShell   = lazyregexp.New(`socket[^\n]{0,400}(?:dup2\(|pty\.spawn|/bin/(?:ba)?sh)|fsockopen\([^\n]{0,200}(?:exec|proc_open)\(|TCPSocket\.(?:new|open)\b[^\n]{0,300}\b(?:popen|exec|spawn)\b`)
)

// shapes are the ways in which a shell is connected to the network, each with a text that is
// in whatever it finds; behind a blank, with a word.
var shapes = []struct {
	word string
	find *lazyregexp.Regexp
}{
	{" nc", netcatShell}, {" ncat", netcatShell}, {" netcat", netcatShell}, {"/dev/tcp/", bashShell}, {"/dev/udp/", bashShell}, {"/dev/tcp/", descriptor}, {"/dev/tcp/", bothWays}, {"/dev/udp/", bothWays}, {"/dev/udp/", descriptor}, {"mkfifo", fifoShell}, {"mknod", fifoShell},
	{"socat", socatShell}, {"socket", codeShell}, {"fsockopen", codeShell}, {"TCPSocket", codeShell}, {" nc", fedShell}, {" ncat", fedShell}, {" netcat", fedShell}, {" telnet", fedShell}, {"/inet/", awkShell},
}

// hasWord tells whether a word stands in a text, and is no part of another.
func hasWord(text, word string) bool {
	for from := 0; ; {
		i := strings.Index(text[from:], word)
		if i < 0 {
			return false
		}
		start, end := from+i, from+i+len(word)
		if (start == 0 || !letter(text[start-1])) && (end == len(text) || !letter(text[end])) {
			return true
		}
		from = end
	}
}

// letter tells whether a byte is part of a word, as regular expressions have it.
func letter(c byte) bool {
	return c == '_' || c >= '0' && c <= '9' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z'
}

// reverseShell finds a shell that is connected to the network.
func reverseShell(text string) string {
	for i := range shapes {
		if word, whole := strings.CutPrefix(shapes[i].word, " "); !strings.Contains(text, word) || whole && !hasWord(text, word) {
			continue
		}
		m := shapes[i].find.FindString(text)
		if m != "" && (shapes[i].find != bashShell || strings.Contains(m, "-i")) {
			return m
		}
	}
	return ""
}

var (
	pipedDownload = lazyregexp.New(`\b(?:curl|wget)\b[^|;\n]{0,300}\|\s*(?:sudo\s+(?:-\S+\s+)*)?(?:/\w+)*/?(?:ba|z|k|da|a)?sh\b`)
	substituted   = lazyregexp.New("\\b(?:ba|z|da|a)?sh\\s+(?:-c\\s+)?[\"']?(?:<\\(|\\$\\(|`)\\s*(?:curl|wget)\\b[^)`\\n]{0,300}")
	pythonFetched = lazyregexp.New(`\b(?:exec|eval)\s*\([^\n]{0,80}(?:urlopen|requests\.get|urllib2?)\b[^\n]{0,100}`)
	pythonPiped   = lazyregexp.New(`\b(?:curl|wget)\b[^|;\n]{0,300}\|\s*(?:python[0-9.]*|perl|ruby|node)\b`)
)

func downloads(text string) string {
	if strings.Contains(text, "urlopen") || strings.Contains(text, "requests.get") {
		return pythonFetched.FindString(text)
	}
	if !strings.Contains(text, "curl") && !strings.Contains(text, "wget") {
		return ""
	}
	for _, re := range []*lazyregexp.Regexp{pipedDownload, substituted, pythonPiped} {
		if m := re.FindString(text); m != "" {
			return m
		}
	}
	return ""
}

var (
	fetched  = lazyregexp.New(`\b(?:curl|wget)\s[^\n]{0,400}https?://|\b(?:curl|wget)\s`)
	runnable = lazyregexp.New(`\bchmod\s+(?:-\S+\s+)*(?:[ugoa]*\+[rwx]*x[rwx]*|[0-7]?[0-7]*[1357][0-7]*)\s+(\S+)`)
	checked  = lazyregexp.New(`\b(?:sha(?:1|224|256|384|512)sum|shasum|md5sum|gpg|cosign|minisign|openssl\s+dgst)\b`)
)

// kept is a download with the file that it goes to.
var kept = lazyregexp.New(`\b(?:curl|wget)\b[^;|&\n]{0,300}\s(?:-o|-O|--output|--output-document)[= ]?\s*["']?([^\s"';|&-][^\s"';|&]*)`)

// runBy is how a shell, or nobody but the kernel, runs a file in the rest of a script.
func runBy(rest, file string) string {
	for _, shell := range []string{"bash ", "sh ", "python ", "python3 ", "perl ", "source ", ". "} {
		if strings.Contains(rest, " "+shell+file) || strings.Contains(rest, ";"+shell+file) || strings.Contains(rest, "\n"+shell+file) {
			return shell + file
		}
	}
	return ""
}

// unchecked finds a program that is downloaded and made to run, while nothing looks at what
// it is.
func unchecked(text string) string {
	if checked.MatchString(text) {
		return ""
	}
	if m := kept.FindStringSubmatch(text); m != nil {
		if run := runBy(text[strings.Index(text, m[0])+len(m[0]):], m[1]); run != "" {
			return run
		}
	}
	if !strings.Contains(text, "chmod") {
		return ""
	}
	at := fetched.FindStringIndex(text)
	if at == nil {
		return ""
	}
	return runnable.FindString(text[at[0]:])
}

var (
	decoded    = lazyregexp.New(`\b(?:base64|base32|openssl\s+(?:enc|base64)|xxd)\b[^|\n]{0,100}\s(?:-d|-D|--decode|-r)\b[^|\n]{0,200}\|\s*(?:(?:gunzip|zcat|gzip|xz|tar)\b[^|\n]{0,60}\|\s*)?(?:sudo\s+)?(?:/\w+)*/?(?:ba|z|k|da|a)?(?:sh|python[0-9.]*|perl|node)\b`)
	evaluated  = lazyregexp.New("\\beval\\s+[\"']?(?:\\$\\(|`)[^\\n]{0,200}\\b(?:base64|xxd|openssl)\\b[^\\n]{0,60}")
	decodeCall = lazyregexp.New(`\b(?:exec|eval)\s*\(\s*(?:__import__\(.base64.\)|base64|bytes|codecs|zlib|Buffer|atob)[^\n]{0,80}`)
)

// hidden finds a command that is decoded and run.
func hidden(text string) string {
	if strings.Contains(text, "base") || strings.Contains(text, "xxd") || strings.Contains(text, "openssl") {
		if m := decoded.FindString(text); m != "" {
			return m
		}
		if m := evaluated.FindString(text); m != "" {
			return m
		}
	}
	if strings.Contains(text, "exec") || strings.Contains(text, "eval") {
		return decodeCall.FindString(text)
	}
	return ""
}

var installed = lazyregexp.New(`\b(?:apt-get|apt|yum|dnf|microdnf|zypper|apk)\b(?:\s+-\S+)*\s+(?:install|add)\b[^;&|\n]{0,80}|\b(?:pip[0-9.]*|gem)\s+install\b[^;&|\n]{0,80}|\bnpm\s+(?:install|i)\s+-g\b[^;&|\n]{0,80}`)

func installs(text string) string {
	if !strings.Contains(text, "install") && !strings.Contains(text, " add") && !strings.Contains(text, "npm i") {
		return ""
	}
	return installed.FindString(text)
}

var (
	entersNode  = lazyregexp.New(`\bnsenter\b[^;|\n]{0,200}(?:-[a-zA-Z]*t\s*1\b|--target[= ]\s*1\b|/proc/1/ns/)[^;|\n]{0,80}`)
	chrootsNode = lazyregexp.New(`\bchroot\s+(/\S*)`)
)
