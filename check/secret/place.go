package secret

import (
	"bytes"
	"path"
	"slices"
	"strings"
	"sync"

	"bulwark/check/secret/internal/rule"
)

// place is what a file's path says about what it holds.
type place struct {
	settings bool // looks like settings: the rules for those are tried
	packaged bool // came with somebody's package: what is in it is public already
	sample   bool // documentation, an example, a test, a template
	key      bool // named as files of keys are
	source   bool // a program's text, looked at as settings are, with more doubt
	note     bool // text that somebody wrote, or a log
	json     bool
}

// How large a file of settings, and one of source code, may be.
const (
	mostSettings = 2 << 20
	mostSource   = 256 << 10
)

func placeOf(p string, size int64) place {
	if i := strings.LastIndexByte(p, '!'); i >= 0 {
		inner := placeOf(p[i+1:], size)
		outer := placeOf(path.Dir(p[:i])+"/x", size)
		inner.packaged = inner.packaged || outer.packaged
		inner.sample = inner.sample || outer.sample
		inner.settings = inner.settings && !inner.isText(p[i+1:])
		inner.sample = inner.sample || isObject(p[:i], p[i+1:])
		inner.key = inner.key && !outer.packaged
		return inner
	}
	lower := strings.ToLower(p)
	base := path.Base(lower)
	dirs := strings.Split(path.Dir(lower), "/")
	w := place{packaged: packaged(lower, dirs), sample: slices.ContainsFunc(dirs, isSampleFolder) || isSampleName(base)}
	w.key = isKeyName(base)
	w.settings = size <= mostSettings && (isSettings(base) || slices.Contains(dirs, "etc") && path.Ext(base) == "" ||
		!w.packaged && isNote(base))
	if !w.settings && !w.packaged && !w.sample && size <= mostSource && sourceExt()[path.Ext(base)] {
		w.settings, w.source = true, true
	}
	w.note = w.settings && !isSettings(base) && path.Ext(base) != ""
	w.json = path.Ext(base) == ".json"
	return w
}

// isText tells text that somebody compressed: a manual, no note of a password.
func (w place) isText(p string) bool { return w.note && path.Ext(strings.ToLower(p)) == ".txt" }

// isObject tells what Git keeps without its name, so that nobody knows what it is: "blob", or
// "blob-12" in a pack.
func isObject(outer, inner string) bool {
	kind, _, _ := strings.Cut(inner, "-")
	return strings.Contains(outer, "objects/") && slices.Contains([]string{"blob", "commit", "tag", "tree", "change"}, kind)
}

// doubt is how much the place of a value speaks against it.
type doubt uint8

const (
	believable doubt = iota
	packagedTest
	packagedProgram
	sampleText
	unbelievable // and no finding
)

// String says it as evidence; a finding that has some is of low severity.
func (d doubt) String() string {
	switch d {
	case packagedTest:
		return "in a package's tests, samples or documentation"
	case packagedProgram:
		return "in a package's program or library: whoever has the package has it"
	case sampleText:
		return "in documentation, a sample or a test"
	}
	return ""
}

// doubts tells how much the place speaks against what the rule finds. No place hides a vendor's
// token or a private key, unless the value itself is an example or everybody's.
func (w place) doubts(r *rule.Rule, value []byte) doubt {
	private := bytes.HasPrefix(value, []byte("-----BEGIN"))
	switch {
	case r.Generic && (w.sample || w.packaged), r.ConfigOnly && w.packaged && weak(value):
		return unbelievable
	case (r.ConfigOnly || r.Doubtful) && w.sample:
		if r.Check == "" || weak(value) {
			return unbelievable
		}
		return sampleText
	case !w.packaged || r.Generic || r.ConfigOnly || r.Doubtful:
		return believable
	case private:
		return w.doubtsKey(value)
	case !w.sample:
		return believable
	case r.Check == "" && strength(value) < real:
		return unbelievable
	}
	return packagedTest
}

// doubtsKey is doubts for a private key in a package.
func (w place) doubtsKey(value []byte) doubt {
	switch {
	case isPublished(value):
		return unbelievable
	case w.key && !w.sample:
		return believable
	case !isWhole(value):
		return unbelievable
	case w.sample:
		return packagedTest
	}
	return packagedProgram
}

func weak(value []byte) bool { return strength(value) < enough }

// trees are where packages put their files.
var trees = []string{"usr/share/", "usr/lib/", "usr/lib32/", "usr/lib64/", "usr/libexec/", "usr/include/", "usr/local/go/", "usr/local/include/",
	"usr/local/lib/python", "usr/local/lib/ruby", "usr/local/lib/node_modules/", "usr/local/lib/perl", "usr/local/share/perl", "lib/", "lib64/",
	"usr/bin/", "usr/sbin/", "bin/", "sbin/", "usr/src/linux", "usr/src/python", "usr/games/", "var/lib/dpkg/", "var/lib/apt/", "var/lib/gems/", "var/cache/", "boot/"}

// apps are where people put their own into those trees.
var apps = []string{"usr/share/nginx/html/", "usr/share/caddy/", "usr/share/logstash/config/", "usr/share/elasticsearch/config/",
	"usr/share/kibana/config/", "usr/share/grafana/conf/", "usr/lib/systemd/system/", "lib/systemd/system/"}

// folders are what package managers of languages unpack into, wherever that is.
var folders = []string{"node_modules", "site-packages", "dist-packages", "bower_components", "gems", ".bundle", ".m2", ".cargo", ".npm", ".yarn", ".cache",
	".rustup", ".nuget", ".ivy2", ".gradle", "pkgs", ".venv"}

func packaged(lower string, dirs []string) bool {
	if slices.ContainsFunc(dirs, isUnpacked) {
		return true
	}
	under := func(t string) bool { return strings.HasPrefix(lower, t) }
	if slices.ContainsFunc(dirs, func(d string) bool { return slices.Contains(folders, d) }) {
		return true
	}
	if i := slices.Index(dirs, "vendor"); i >= 0 && i < len(dirs)-1 {
		return true
	}
	return slices.ContainsFunc(trees, under) && !slices.ContainsFunc(apps, under) ||
		strings.HasPrefix(lower, "go/pkg/mod/") || strings.Contains(lower, "/go/pkg/mod/")
}

// isUnpacked tells folders that are named as tools name what they unpack: a Go module's
// NAME@v1.2.3, and where Python keeps its library (lib/python3.12)..
func isUnpacked(dir string) bool {
	if i := strings.LastIndex(dir, "@v"); i > 0 && i+2 < len(dir) && dir[i+2] >= '0' && dir[i+2] <= '9' {
		return true
	}
	rest, ok := strings.CutPrefix(dir, "python")
	return ok && len(rest) >= 3 && (rest[0] == '2' || rest[0] == '3') && rest[1] == '.' || dir == "@v"
}

var sampleFolders = sync.OnceValue(func() map[string]bool {
	return words("doc docs documentation man info help test tests testing __tests__ testdata test-data test_data testcases spec specs fixtures fixture __fixtures__ example examples sample samples demo demos mock mocks __mocks__ bench benchmark benchmarks tutorial tutorials gtk-doc javadoc javadocs apidocs htdocs-docs e2e stubs")
})

func isSampleFolder(dir string) bool { return sampleFolders()[dir] }

func isKeyName(base string) bool {
	switch path.Ext(base) {
	case "", ".pem", ".key", ".p8", ".pk8", ".ppk", ".crt", ".cer", ".rsa", ".ed25519", ".priv", ".private":
		return true
	}
	return strings.Contains(base, "key")
}

// isSampleName tells documentation, templates and tests by their names.
func isSampleName(base string) bool {
	switch path.Ext(base) {
	case ".md", ".markdown", ".mdx", ".rst", ".adoc", ".asciidoc", ".pod", ".rdoc", ".tex", ".texi", ".man", ".sample", ".example", ".dist", ".template", ".tmpl", ".tpl", ".j2", ".erb", ".in", ".po", ".pot", ".snap", ".svg":
		return true
	}
	for _, s := range []string{"readme", "changelog", "changes", "contributing", "license", "licence", "copying", "pkg-info", "relnotes", "news.", "history.", "security.", "test_", "test-"} {
		if strings.HasPrefix(base, s) {
			return true
		}
	}
	if base == "metadata" || base == "news" {
		return true // of a Python package: its description
	}
	for _, s := range []string{"_test.", "test_data.", "testdata.", ".test.", ".spec.", "_spec.", ".sample", ".example", "-example", "-sample", "_example", "_sample", "example.", "sample."} {
		if strings.Contains(base, s) {
			return true
		}
	}
	return false
}

var settingsExt = sync.OnceValue(func() map[string]bool {
	return words(".env .ini .cfg .conf .cnf .config .properties .yaml .yml .json .json5 .toml .xml .sh .bash .zsh .service .tf .tfvars .hcl .plist .netrc .reg .bat .cmd .ps1 .secret .secrets .credentials .creds .local .prod .production .dev .development .staging .envrc .ovpn .dsn .kdl .nomad .auto .override .bak .old .orig .cred .credential .passwd .password .pwd .auth .keys .rdp .sql .psql .ldif .gradle .pbxproj .xcconfig .dockerfile .ora .http .rest .postman_collection .postman_environment .ftpconfig .cnf .htpasswd .mobileconfig .nmconnection .ppx .pcf .vpn")
})

var settingsBase = sync.OnceValue(func() map[string]bool {
	return words("dockerfile containerfile makefile jenkinsfile vagrantfile procfile credentials config environment profile settings passwd passwords secrets crontab pgpass .pgpass .npmrc .yarnrc .pypirc .netrc _netrc .my.cnf .env .envrc .git-credentials .gitconfig .dockercfg .bashrc .bash_profile .profile .zshrc .bash_history .zsh_history .ash_history .sh_history .mysql_history .psql_history .python_history .node_repl_history .rediscli_history .viminfo .s3cfg .boto .htpasswd .esmtprc .msmtprc .fetchmailrc .wgetrc .curlrc .remote-sync.json .ftpconfig wp-config.php config.php settings.php configuration.php local.php parameters.php database.php settings.py local_settings.py secrets.py config.py secrets.rb config.rb secret_token.rb config.js config.ts secrets.js env.js robomongo.json filezilla.xml connections.xml")
})

var sourceExt = sync.OnceValue(func() map[string]bool {
	return words(".py .js .ts .jsx .tsx .mjs .cjs .rb .php .go .java .kt .scala .cs .vb .fs .groovy .gradle .swift .m .pl .lua .ex .exs .rs .c .cpp .h .ipynb .psm1 .cfm .jsp .asp .aspx .erb .vue")
})

// isConfigCode tells settings that are written as a program: config.inc.php, LocalSettings.php, db.js.
func isConfigCode(base string) bool {
	if !sourceExt()[path.Ext(base)] {
		return false
	}
	stem, _, _ := strings.Cut(base, ".")
	for _, s := range []string{"config", "settings", "secret", "credential", "passwd", "password", "webpack.env"} {
		if strings.Contains(stem, s) {
			return true
		}
	}
	return configStems()[stem]
}

var configStems = sync.OnceValue(func() map[string]bool {
	return words("db database dbconn dbconnect connect connection connections constants env environment local keys params parameters conf cfg auth")
})

// isNote tells files that people keep things in by hand: without an extension, of one
// tool of theirs (.tugboat), text and logs.
func isNote(base string) bool {
	switch path.Ext(base) {
	case "", ".txt", ".log", ".history", ".note", ".notes":
		return true
	}
	return base[0] == '.' && strings.Count(base, ".") == 1
}

// words is a set of them.
func words(list string) map[string]bool {
	set := map[string]bool{}
	for s := range strings.FieldsSeq(list) {
		set[s] = true
	}
	return set
}

// isSettings tells by its name whether a file holds settings.
func isSettings(base string) bool {
	if settingsBase()[base] || isConfigCode(base) || settingsExt()[path.Ext(base)] || strings.HasPrefix(base, ".env") || strings.HasPrefix(base, "env.") || strings.HasPrefix(base, "dockerfile") {
		return true
	}
	if ext := path.Ext(base); ext != "" && ext != ".txt" && ext != ".log" && ext != ".csv" {
		return false
	}
	for _, s := range []string{"password", "passwd", "secret", "credential", "token", "history", "htpasswd"} {
		if strings.Contains(base, s) {
			return true
		}
	}
	return false
}
