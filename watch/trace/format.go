// Package trace keeps what happened in a file: the events as detectors saw them, with their processes and
// containers, and the seconds that passed. docs/trace-format.md describes it.
package trace

import (
	"hash/crc32"

	"bulwark"
)

// Version is that of the format. A reader takes files of its own version and of those before.
const Version = 1

const (
	magic     = "bulwark trace\n"
	maxBlock  = 4 << 20 // of the records of one block
	cutBlock  = 256 << 10
	maxKept   = 1 << 19 // processes, containers and kinds that a reader has at a time
	maxUp     = 4096    // ancestors
	maxList   = 16384   // texts of one list
	headBytes = 13
)

// How the records of a block are packed.
const (
	packNone = iota
	packZstd
)

// What a record is.
const (
	recHeader  = iota + 1 // JSON of a Header
	recKind               // number, name, names of parameters
	recProcess            // number, facts
	recContainer
	recEvent
	recTick
	recForget // number of a process
	recReset  // all numbers are free again: what follows needs nothing before it
	recGone   // number of a container
)

// Header is what a file says of itself.
type Header struct {
	Version int      `json:"version"`
	Node    string   `json:"node,omitempty"` // asset of the machine
	Name    string   `json:"name,omitempty"` // of the machine
	Boot    int64    `json:"boot,omitempty"` // when it started, nanoseconds since 1970
	Began   int64    `json:"began"`          // of the recording
	Kinds   []string `json:"kinds"`          // of the events that were looked at
	Program string   `json:"program,omitempty"`
}

// Item is what a reader gives: an event, or a tick of the clock.
type Item struct {
	Event *bulwark.Event // its slices are those of the reader until the next call
	Tick  int64          // nanoseconds since 1970; 0: it is an event
}

var castagnoli = crc32.MakeTable(crc32.Castagnoli)
