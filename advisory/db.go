package advisory

import (
	"encoding/binary"
	"fmt"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/klauspost/compress/zstd"

	"bulwark"
	"bulwark/advisory/internal/file"
)

// formatVersion changes with every change of the file's layout, and of the form that
// names are kept in.
const formatVersion = 2

// DB is an open database. It is safe for parallel use.
type DB struct {
	r          *file.Reader
	info       bulwark.Advisories
	ecosystems []ecosystem // sorted by name
	records    section
	vectors    section
	cold       section
	dictionary section // one item: what the blocks of cold parts were compressed with
	cves       table
	naming     section // of the i-th CVE: the records that name it
	kev        table
	epss       section // of blocks of rows
	products   section
	purls      section

	cache      []atomic.Pointer[packed] // decoded records
	slabs      sync.Pool
	vectorList func() ([]string, error)

	mu     sync.Mutex
	zstd   *zstd.Decoder
	blocks [coldBlocks]coldBlock // a few decompressed ones
	turn   int
}

// coldBlocks is how many decompressed blocks are kept.
const coldBlocks = 8

type coldBlock struct {
	number uint32
	data   []byte
}

// section is a list of byte strings: n+1 offsets of 4 bytes into what lies at start.
type section struct {
	n              int
	offsets, start uint64
}

// table is n keys of 4 bytes, sorted, and n values of width bytes.
type table struct {
	n            int
	keys, values uint64
	width        int
}

// ecosystem is a section of groups sorted by name.
type ecosystem struct {
	name string
	section
}

// Open maps the database at path. Its error wraps [bulwark.ErrNotFound] when there
// is none, [bulwark.ErrUntrusted] when it is corrupt or half written, and
// [bulwark.ErrUnsupported] when another version of bulwark wrote it.
func Open(path string) (*DB, error) {
	r, err := file.Open(path, formatVersion)
	if err != nil {
		return nil, err
	}
	db := &DB{r: r}
	if !db.readDirectory() {
		err := r.Damaged()
		r.Close()
		return nil, err
	}
	db.vectorList = sync.OnceValues(db.readVectors)
	db.cache = make([]atomic.Pointer[packed], db.records.n)
	return db, nil
}

// Close unmaps the file. What the database gave stays valid; asking it is over, and
// must be over when Close is called.
func (db *DB) Close() error {
	db.mu.Lock()
	defer db.mu.Unlock()
	if db.zstd != nil {
		db.zstd.Close()
	}
	return db.r.Close()
}

// Err is nil as long as nothing that was read was found damaged, else it wraps
// [bulwark.ErrUntrusted]: what the methods without an error gave may be too little.
func (db *DB) Err() error { return db.r.Err() }

// Info says what the database was built from.
func (db *DB) Info() bulwark.Advisories {
	info := db.info
	info.Sources = slices.Clone(info.Sources)
	return info
}

// Has tells whether there is a live record for exactly this ecosystem.
func (db *DB) Has(ecosystem string) bool {
	return len(db.modulesOf(db.ecosystemsOf(nil, ecosystem), ecosystem)) > 0
}

// ecosystem finds an ecosystem by its name.
func (db *DB) ecosystem(name string) *ecosystem {
	i, ok := slices.BinarySearchFunc(db.ecosystems, name, func(e ecosystem, name string) int {
		return strings.Compare(e.name, name)
	})
	if !ok {
		return nil
	}
	return &db.ecosystems[i]
}

// item gives the i-th byte string of a section.
func (db *DB) item(s section, i int) ([]byte, error) {
	if i < 0 || i >= s.n {
		return nil, db.r.Damaged()
	}
	o, err := db.r.View(s.offsets+4*uint64(i), 8)
	if err != nil {
		return nil, err
	}
	lo, hi := uint64(binary.LittleEndian.Uint32(o)), uint64(binary.LittleEndian.Uint32(o[4:]))
	if lo > hi {
		return nil, db.r.Damaged()
	}
	return db.r.View(s.start+lo, hi-lo)
}

// lookup gives the value of a key and its number; nil when the table does not have it.
func (db *DB) lookup(t table, key uint32) ([]byte, int, error) {
	lo, hi := 0, t.n
	for lo < hi {
		mid := (lo + hi) / 2
		b, err := db.r.View(t.keys+4*uint64(mid), 4)
		if err != nil {
			return nil, 0, err
		}
		switch k := binary.LittleEndian.Uint32(b); {
		case k == key:
			v, err := db.r.View(t.values+uint64(mid)*uint64(t.width), uint64(t.width))
			return v, mid, err
		case k < key:
			lo = mid + 1
		default:
			hi = mid
		}
	}
	return nil, 0, nil
}

// hot gives a record's decoded hot part; it is decoded once.
func (db *DB) hot(i uint32) (*packed, error) {
	if int(i) >= len(db.cache) {
		return nil, db.r.Damaged()
	}
	if h := db.cache[i].Load(); h != nil {
		return h, nil
	}
	b, err := db.item(db.records, int(i))
	if err != nil {
		return nil, err
	}
	vectors, err := db.vectorList()
	if err != nil {
		return nil, err
	}
	s, _ := db.slabs.Get().(*slab)
	if s == nil {
		s = &slab{}
	}
	defer db.slabs.Put(s)
	h, ok := decodeHot(&file.Decoder{B: s.copy(b)}, s, vectors) // a copy: hits outlive the database
	if !ok {
		return nil, db.r.Damaged()
	}
	db.cache[i].Store(h)
	return h, nil
}

// readVectors copies all CVSS vectors, of which there are a few thousand.
func (db *DB) readVectors() ([]string, error) {
	out := make([]string, 0, min(db.vectors.n, 1<<16))
	for i := range db.vectors.n {
		b, err := db.item(db.vectors, i)
		if err != nil {
			return nil, err
		}
		out = append(out, string(b))
	}
	return out, nil
}

// find gives the number of a record.
func (db *DB) find(id string) (uint32, bool, error) {
	lo, hi := 0, db.records.n
	for lo < hi {
		mid := (lo + hi) / 2
		b, err := db.item(db.records, mid)
		if err != nil {
			return 0, false, err
		}
		switch c := strings.Compare(hotID(b), id); {
		case c == 0:
			return uint32(mid), true, nil
		case c < 0:
			lo = mid + 1
		default:
			hi = mid
		}
	}
	return 0, false, nil
}

// Record gives a whole record, withdrawn ones too; the error wraps
// [bulwark.ErrNotFound] when there is none.
func (db *DB) Record(id string) (Record, error) {
	i, ok, err := db.find(id)
	if err != nil {
		return Record{}, err
	}
	if !ok {
		return Record{}, fmt.Errorf("advisory %s: %w", id, bulwark.ErrNotFound)
	}
	h, err := db.hot(i)
	if err != nil {
		return Record{}, err
	}
	r := h.record()
	b, err := db.coldPart(h)
	if err != nil {
		return Record{}, err
	}
	if !decodeCold(b, &r) {
		return Record{}, db.r.Damaged()
	}
	withdrawnSince(&r, h.withdrawn)
	return r, nil
}

// References gives a record's references; nil when there are none.
func (db *DB) References(id string) []string {
	r, err := db.Record(id)
	if err != nil {
		return nil
	}
	return r.References
}

// maxBlock bounds a decompressed block: one record's budget and some room.
const maxBlock = 64 << 20

// coldPart decompresses the block that holds a record's cold part.
func (db *DB) coldPart(h *packed) ([]byte, error) {
	db.mu.Lock()
	defer db.mu.Unlock()
	data, err := db.block(h.block)
	if err != nil {
		return nil, err
	}
	if uint64(h.offset) > uint64(len(data)) {
		return nil, db.r.Damaged()
	}
	return data[h.offset:], nil
}

func (db *DB) block(number uint32) ([]byte, error) {
	for _, b := range db.blocks {
		if b.data != nil && b.number == number {
			return b.data, nil
		}
	}
	packed, err := db.item(db.cold, int(number))
	if err != nil {
		return nil, err
	}
	if db.zstd == nil {
		if db.zstd, err = db.decompressor(); err != nil {
			return nil, err
		}
	}
	data, err := db.zstd.DecodeAll(packed, nil)
	if err != nil {
		return nil, db.r.Damaged()
	}
	db.blocks[db.turn%coldBlocks] = coldBlock{number, data}
	db.turn++
	return data, nil
}

func (db *DB) decompressor() (*zstd.Decoder, error) {
	dict, err := db.item(db.dictionary, 0)
	if err != nil {
		return nil, err
	}
	return zstd.NewReader(nil, zstd.WithDecoderConcurrency(1), zstd.WithDecoderLowmem(true),
		zstd.WithDecoderMaxMemory(maxBlock), zstd.WithDecoderDictRaw(dictionaryID, dict))
}

// readDirectory reads what Commit was given by writeDirectory.
func (db *DB) readDirectory() bool {
	d := file.Decoder{B: db.r.Directory}
	db.info.Built = time.Unix(d.Int(), 0).UTC()
	db.info.Records = int(min(d.Uint(), forever))
	for range d.Count() {
		db.info.Sources = append(db.info.Sources, bulwark.DataSource{
			Name: strings.Clone(d.String()), Records: int(min(d.Uint(), forever)), Newest: d.Time()})
	}
	for _, s := range []*section{&db.records, &db.vectors, &db.cold, &db.dictionary, &db.naming, &db.epss, &db.products, &db.purls} {
		*s = readSection(&d)
	}
	for _, t := range []*table{&db.cves, &db.kev} {
		*t = table{int(min(d.Uint(), forever)), d.Uint(), d.Uint(), int(min(d.Uint(), 64))}
	}
	for range d.Count() {
		db.ecosystems = append(db.ecosystems, ecosystem{strings.Clone(d.String()), readSection(&d)})
	}
	return !d.Bad && db.r.Holds(db.records.offsets, 4*uint64(db.records.n)+4)
}

func readSection(d *file.Decoder) section {
	return section{int(min(d.Uint(), forever)), d.Uint(), d.Uint()}
}
