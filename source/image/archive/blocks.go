package archive

import (
	"bytes"
	"io"
)

const blockSize = 1 << 20

// blocks are bytes in memory that were read without knowing how many would come: growing
// one slice would take more than twice as much. All but the last have the same size.
type blocks [][]byte

var _ io.ReaderAt = blocks(nil)

// readBlocks reads r to its end, or until there are more than most bytes.
func readBlocks(r io.Reader, most int64) (b blocks, size int64, err error) {
	for size <= most {
		block := make([]byte, min(blockSize, most+1-size))
		n, err := io.ReadFull(r, block)
		b, size = append(b, block[:n]), size+int64(n)
		if err == io.EOF || err == io.ErrUnexpectedEOF {
			break
		}
		if err != nil {
			return nil, 0, err
		}
	}
	return b, size, nil
}

// ReadAt implements [io.ReaderAt].
func (b blocks) ReadAt(p []byte, at int64) (n int, err error) {
	for i := at / blockSize; n < len(p) && i < int64(len(b)); i++ {
		if skip := (at + int64(n)) % blockSize; skip < int64(len(b[i])) {
			n += copy(p[n:], b[i][skip:])
		}
	}
	if n < len(p) {
		err = io.EOF
	}
	return n, err
}

// reader reads all blocks in turn.
func (b blocks) reader() io.Reader {
	list := make([]io.Reader, len(b))
	for i := range b {
		list[i] = bytes.NewReader(b[i])
	}
	return io.MultiReader(list...)
}
