package bulwark

import "io/fs"

// Executable is a file that runs, or that decides what runs: a program, a library, a
// script, a schedule, a list of login keys. Of those that an inspector describes, the
// inventory leaves out what is as its distribution's package has it: see [Executable.Intact].
type Executable struct {
	Path     string // empty in facts: the file itself
	Layer    string // diffID
	FromBase bool
	Mode     fs.FileMode
	UID      int
	Size     int64
	Format   string   // elf, pe, script; empty for other text and data
	Digests  []Digest // of the content; none for a file that no package manager would record
	Traits   []Trait

	// What the merged image tells; an inspector leaves it out.

	// OwnedBy is the distribution package that lists the file.
	OwnedBy string
	// Intact is the format of the package (deb, apk, rpm, pypi) whose record of the file's
	// content fits it; empty when there is none.
	Intact string
	// Recorded is the package whose record does not fit, where no other's does.
	Recorded *FileRecord
}

// Trait is something about an executable that may be bad, by the rule that says so.
type Trait struct {
	Rule     string   `json:"rule"` // the part behind the family: "reverse-shell"
	Line     int      `json:"line,omitempty"`
	Evidence []string `json:"evidence,omitempty"`
}

// FileRecord is what a package says of the content of one file.
type FileRecord struct {
	Package string
	Format  string // deb, apk, rpm, pypi
	Digest  Digest
}

// Recorded says what a package manager recorded of the contents of a package's files that
// [MayRun].
type Recorded struct {
	Package string   // name of the package
	Format  string   // deb, apk, rpm, pypi
	Paths   []string // clean, relative to the root
	// Digests stand beside Paths. Without them the package manager was told to let others
	// put their files there (diversions).
	Digests []Digest
}

// Digest is the front of a content's digest along with its algorithm, short because
// there are very many. What it leaves is 62 bits: nobody finds another content for
// those who could not as well change the package manager's database.
type Digest [8]byte

// Algorithm says what a digest was made with.
type Algorithm byte

// The algorithms of package managers; others are not checked.
const (
	MD5 Algorithm = 1 + iota
	SHA1
	SHA256
)

// NewDigest takes the first bytes of a digest; it gives the zero Digest, which fits
// nothing, when there are fewer than eight.
func NewDigest(a Algorithm, sum []byte) (d Digest) {
	if copy(d[:], sum) < len(d) {
		return Digest{}
	}
	d[7] = d[7]&^3 | byte(a)
	return d
}

// Algorithm is what the digest was made with; 0 for the zero Digest.
func (d Digest) Algorithm() Algorithm { return Algorithm(d[7] & 3) }
