package abuse

import (
	"bytes"
	"encoding/binary"
)

const (
	mongoPort    = 27017
	mongoRefusal = "AuthenticationFailed (18)"
)

// The operations of MongoDB's wire protocol that carry answers, and where their first document begins.
const (
	opReply, replyAt = 1, 36
	opMsg, msgAt     = 2013, 21 // behind flags and the kind of the section
)

// The kinds of BSON's elements that stand before the code of an error.
const (
	bsonDouble, bsonString, bsonDocument, bsonArray, bsonBinary = 0x01, 0x02, 0x03, 0x04, 0x05
	bsonObjectID, bsonBool, bsonDate, bsonNull                  = 0x07, 0x08, 0x09, 0x0a
	bsonInt32, bsonTimestamp, bsonInt64                         = 0x10, 0x11, 0x12
)

// authenticationFailed is the number of the error that every refused login has, whatever its mechanism.
const authenticationFailed = 18

// mongoRefuses tells whether a payload is an answer of MongoDB that refuses a login: a document with the code of that error at its top.
// Documents of users do not look so, since an error has no other content.
func mongoRefuses(b []byte) bool {
	if len(b) < replyAt+4 {
		return false
	}
	at := 0
	switch op := binary.LittleEndian.Uint32(b[12:]); {
	case op == opReply:
		at = replyAt
	case op == opMsg && b[msgAt-1] == 0:
		at = msgAt
	default:
		return false
	}
	failed, code := false, false
	for b = b[at+4:]; len(b) > 1 && b[0] != 0; {
		kind := b[0]
		name, rest, ok := bytes.Cut(b[1:], []byte{0})
		size := bsonSize(kind, rest)
		if !ok || size < 0 || size > len(rest) {
			break
		}
		switch string(name) {
		case "ok":
			failed = kind == bsonDouble && binary.LittleEndian.Uint64(rest) == 0 || kind == bsonInt32 && binary.LittleEndian.Uint32(rest) == 0
		case "code":
			code = kind == bsonInt32 && binary.LittleEndian.Uint32(rest) == authenticationFailed
		}
		b = rest[size:]
	}
	return failed && code
}

// bsonSize is how long the value of an element is; negative: that is not known.
func bsonSize(kind byte, value []byte) int {
	length := func(more int) int {
		if len(value) < 4 {
			return -1
		}
		n := int64(binary.LittleEndian.Uint32(value)) + int64(more)
		if n > int64(len(value)) {
			return -1
		}
		return int(n)
	}
	switch kind {
	case bsonDouble, bsonDate, bsonTimestamp, bsonInt64:
		return 8
	case bsonInt32:
		return 4
	case bsonBool:
		return 1
	case bsonNull:
		return 0
	case bsonObjectID:
		return 12
	case bsonString:
		return length(4)
	case bsonDocument, bsonArray:
		return length(0)
	case bsonBinary:
		return length(5)
	}
	return -1
}
