package bulwark

import "time"

// Schema names the version of the report and of the record stream.
const Schema = "bulwark/report/v1"

// Record is one line of the stream that a scan produces: exactly one field is set.
// The order is run, then assets, packages, findings (risk down, severity down,
// key), advice, frameworks, notes, and one summary last.
type Record struct {
	Run     *Run     `json:"run,omitempty"`
	Asset   *Asset   `json:"asset,omitempty"`
	Package *Package `json:"package,omitempty"`
	Finding *Finding `json:"finding,omitempty"`
	Advice  *Advice  `json:"advice,omitempty"`
	// Framework is how a target stands against a framework of controls that was asked for.
	Framework *Framework `json:"framework,omitempty"`
	Note      *Note      `json:"note,omitempty"`
	Summary   *Summary   `json:"summary,omitempty"`
}

// Handler takes the records of one run, in order, from one goroutine. It may keep
// what the pointers lead to, and does not change it. The summary is the last
// record: with it a report is written whole.
type Handler interface {
	Handle(Record) error
}

// Run says what was done with what.
type Run struct {
	Version string    `json:"version"`
	Started time.Time `json:"started"`
	Now     time.Time `json:"-"` // the clock that checks saw
	Targets []string  `json:"targets"`
	Data    Data      `json:"data"`
}

// Data is what the run knew.
type Data struct {
	Advisories *Advisories `json:"advisories,omitempty"` // nil: no database
}

// Advisories describes the advisory database.
type Advisories struct {
	Built   time.Time    `json:"built"`
	Records int          `json:"records"`
	Sources []DataSource `json:"sources"`
}

// DataSource is one source of the database: an OSV ecosystem, kev, epss or eol.
type DataSource struct {
	Name    string    `json:"name"`
	Records int       `json:"records"`
	Newest  time.Time `json:"newest"` // the newest plausible date in it
}

// Note is something a reader of the report should know that is not a finding.
type Note struct {
	Plugin string  `json:"plugin"`
	Asset  AssetID `json:"asset,omitempty"`
	Path   string  `json:"path,omitempty"`
	Text   string  `json:"text"`
	// Incomplete is true when something that was asked for could not be looked at.
	Incomplete bool `json:"incomplete,omitempty"`
}

// Advice is one step of the shortest list of changes that clears the most risk.
type Advice struct {
	Asset   AssetID `json:"asset"`
	Text    string  `json:"text"` // "debian 12.0 -> 12.15 clears 212 of 240"
	Kind    string  `json:"kind"` // base-image, release, upgrade
	Package string  `json:"package,omitempty"`
	From    string  `json:"from,omitempty"`
	To      string  `json:"to,omitempty"`
	Clears  int     `json:"clears"` // findings that this step clears
	Of      int     `json:"of"`     // vulnerability findings of the asset
	Risk    int     `json:"risk"`   // sum of the risk of the findings it clears
}

// Summary closes a run.
type Summary struct {
	Complete bool             `json:"complete"` // everything that was asked for was looked at
	Counts   map[Severity]int `json:"counts"`   // findings without an exception, every severity present
	Packages int              `json:"packages"`
	Excepted int              `json:"excepted,omitempty"` // findings that an exception covers
	// Unrated is the share of vulnerabilities whose severity is unknown, 0 to 1.
	Unrated float64 `json:"unrated,omitempty"`
}
