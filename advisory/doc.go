// Package advisory knows what is wrong with which version of which package: OSV
// records compiled into one read-only file, with known exploited vulnerabilities
// (KEV), exploit probabilities (EPSS) and end-of-life dates beside them.
//
// [Build] and [Update] make the file, [Open] maps it, [DB.Match] answers.
//
// # The file
//
// A header of 64 bytes (magic, format version, sizes, checksums), the body, a CRC32C for
// each 32 KB block of the body, and the directory, which says where everything lies.
// Opening checks header and directory; a block is checked when it is first read.
// Numbers are varints, or four bytes where they are searched. The file is only ever
// replaced by a rename, so that a mapped one never changes, and there is no lock.
//
// The body is made of sections, lists of byte strings with an offset each:
//
//   - records, sorted by id: what every hit shows (id, aliases, upstream, severity,
//     summary, dates), and the numbers of its CVSS vectors, which have a section of
//     their own;
//   - cold parts, in zstd blocks of 16 KB with a common dictionary: details,
//     references, affected packages in words;
//   - for each ecosystem with its release, groups sorted by package name. A group holds
//     the distinct versions that the package's events name, sorted when it is built, and
//     for each record the intervals between them. A query places its version among these
//     ranks with a handful of comparisons; all else is comparing small integers;
//   - CVEs, with the best rating and the records that name each; KEV; EPSS, 64 rows a
//     block; products, and the package URLs that mean them.
//
// # What matches
//
// OSV's evaluation algorithm, with these settlements where it leaves room. Ranges of
// commits are not looked at. A range that names a version which its order cannot place
// is left out, and building says how many. At one version an end and a beginning cancel
// out. Records that name a distribution without its release ("Alpine") match nothing:
// they speak of another distribution. Ubuntu's plain releases mean their LTS ecosystem
// and never the paid one; Red Hat's streams and SUSE's modules of a release belong to it.
// Copies of one record in several folders of a source add up ecosystem by ecosystem, the
// newest first; in one folder the newest replaces the others.
package advisory
