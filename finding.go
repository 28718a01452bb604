package bulwark

import (
	"crypto/sha256"
	"encoding/hex"
	"strings"
	"time"
)

// The kinds of finding.
const (
	KindVulnerability = "vulnerability"
	KindOutdated      = "outdated"
	KindEOL           = "eol"
	KindSecret        = "secret"
	KindMalware       = "malware"
	KindMisconfig     = "misconfig"
	KindExposure      = "exposure"
	KindTrust         = "trust"
	KindHost          = "host"
	KindRuntime       = "runtime"
)

// Finding is one thing that is wrong, from the Dockerfile to the kernel.
type Finding struct {
	Key           string         `json:"key"` // see Key
	Kind          string         `json:"kind"`
	Rule          string         `json:"rule"` // family/name: "vuln/GO-2024-2687"
	Severity      Severity       `json:"severity"`
	Risk          int            `json:"risk"` // 0-100, see Risk
	Title         string         `json:"title"`
	Asset         AssetID        `json:"asset"`
	Subject       string         `json:"subject"` // what is affected: a PURL, a path, an object
	Path          string         `json:"path,omitempty"`
	Line          int            `json:"line,omitempty"`
	Layer         string         `json:"layer,omitempty"`
	Places        []Place        `json:"places,omitempty"`
	Count         int            `json:"count,omitempty"`
	Origin        *Place         `json:"origin,omitempty"` // the line of the Dockerfile that made it, when that is known
	Evidence      []string       `json:"evidence"`
	Fix           *Fix           `json:"fix,omitempty"`
	References    []string       `json:"references,omitempty"`
	Tags          []string       `json:"tags,omitempty"`
	InUse         *bool          `json:"inUse,omitempty"` // nil: not known
	FromBase      bool           `json:"fromBase,omitempty"`
	Vulnerability *Vulnerability `json:"vulnerability,omitempty"`
	Exception     *Exception     `json:"exception,omitempty"`

	// What findings of running things have.

	Time      time.Time     `json:"time,omitzero"` // of the event, the last one where Count says that there were more
	Process   *ProcessRef   `json:"process,omitempty"`
	Container *ContainerRef `json:"container,omitempty"`
	Alert     *Alert        `json:"alert,omitempty"`
	Response  *Response     `json:"response,omitempty"` // nil: nothing was to be done but to tell
}

// Response is what was done about a finding beside telling it.
type Response struct {
	Action string `json:"action"` // freeze, kill, deny
	Done   bool   `json:"done"`
	Text   string `json:"text"` // what was done, or why it was not
}

// ProcessRef is a process as a finding tells of it.
type ProcessRef struct {
	PID     int          `json:"pid"`
	Name    string       `json:"name"`
	Path    string       `json:"path,omitempty"`
	Args    []string     `json:"args,omitempty"` // with argv[0]; secrets are masked
	CWD     string       `json:"cwd,omitempty"`
	UID     uint32       `json:"uid"`
	User    string       `json:"user,omitempty"`
	TTY     bool         `json:"tty,omitempty"`
	Start   time.Time    `json:"start,omitzero"`
	Parents []ProcessRef `json:"parents,omitempty"` // nearest first, eight at most
}

// ContainerRef is a container as a finding tells of it.
type ContainerRef struct {
	ID        string `json:"id"`
	Name      string `json:"name,omitempty"`
	Image     string `json:"image,omitempty"`
	Digest    string `json:"digest,omitempty"` // of the image
	Engine    string `json:"engine,omitempty"`
	Pod       string `json:"pod,omitempty"`
	Namespace string `json:"namespace,omitempty"` // of the pod
	Missing   string `json:"missing,omitempty"`   // why no more is known of it
}

// Alert is what a rule about events said, in the words of its language.
type Alert struct {
	Rule     string       `json:"rule"` // the rule's own name
	Priority string       `json:"priority"`
	Source   string       `json:"source"` // of the event
	Output   string       `json:"output"`
	Fields   []AlertField `json:"fields,omitempty"` // those that the output names, in their order
}

// AlertField is a field of an event. Value is a string, a number, a bool, a list of strings, or nil where the event has none.
type AlertField struct {
	Name  string `json:"name"`
	Value any    `json:"value"`
}

// Place is one of the places where a finding holds.
type Place struct {
	Path  string `json:"path"`
	Line  int    `json:"line,omitempty"`
	Layer string `json:"layer,omitempty"` // diffID
	// Commit is where the place is in a repository's history: the id of the commit that
	// brought it; empty for what is there now.
	Commit string `json:"commit,omitempty"`
}

// Fix says what to change, and carries the change where it can be computed.
type Fix struct {
	Text    string `json:"text"`
	Version string `json:"version,omitempty"`
	Patch   *Patch `json:"patch,omitempty"`
}

// Patch is a change that can be applied.
type Patch struct {
	Format string `json:"format"` // unified-diff, json-patch, strategic-merge
	File   string `json:"file"`
	Text   string `json:"text"`
}

// Vulnerability is the part of a finding that only vulnerabilities have.
type Vulnerability struct {
	ID        string   `json:"id"`      // the OSV record's own id
	Aliases   []string `json:"aliases"` // ids that were merged or are its aliases and single upstream
	CVEs      []string `json:"cves"`    // every CVE that aliases, upstream or related name
	Package   string   `json:"package"`
	Source    string   `json:"source,omitempty"` // source package the distribution's advisory speaks of
	Installed string   `json:"installed"`
	Fixed     []string `json:"fixed"`
	CVSS      *CVSS    `json:"cvss,omitempty"`
	EPSS      *EPSS    `json:"epss,omitempty"`
	KEV       bool     `json:"kev,omitempty"`
}

// CVSS is a vector and its base score, 0 to 10.
type CVSS struct {
	Vector string  `json:"vector"`
	Score  float64 `json:"score"`
}

// EPSS is the probability of exploitation within 30 days and its rank, both 0 to 1.
type EPSS struct {
	Score      float64 `json:"score"`
	Percentile float64 `json:"percentile"`
}

// Exception says why a finding does not count.
type Exception struct {
	Reason  string `json:"reason"`
	Owner   string `json:"owner"`
	Expires string `json:"expires"` // date, YYYY-MM-DD; empty: never
	Source  string `json:"source"`  // the file that says so
}

// Key makes a finding's key: stable over rebuilds, so that (asset, key) names the
// same problem in two runs. name is the rule, or for a vulnerability its lowest CVE
// id, else its record's id; subject is the PURL without version, or the object;
// place is a path inside the target with the version taken out (see [Unversioned]).
func Key(kind, name, subject, place string) string {
	var room [256]byte
	b := append(append(room[:0], kind...), 0)
	b = append(append(b, name...), 0)
	b = append(append(b, subject...), 0)
	sum := sha256.Sum256(append(b, place...))
	var text [2 * sha256.Size]byte
	hex.Encode(text[:], sum[:])
	return string(text[:])
}

// Unversioned replaces a version that stands in a path by "*":
// "usr/share/java/foo-1.2.jar" keeps its key when foo is upgraded.
func Unversioned(path, version string) string {
	if len(version) < 2 {
		return path
	}
	return strings.ReplaceAll(path, version, "*")
}
