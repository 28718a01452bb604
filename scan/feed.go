package scan

import (
	"errors"
	"fmt"
	"io"

	"bulwark"
)

// read gives the file's bytes to those who want them.
func (w *walker) read(info *bulwark.FileInfo, body io.Reader, at io.ReaderAt, wants []bulwark.Extractor, found *fileFacts) error {
	if len(wants) == 0 {
		return w.stream(info, body, found)
	}
	return w.whole(info, body, at, wants, found)
}

// whole gives the file to extractors, which read anywhere in it, and to sinks.
func (w *walker) whole(info *bulwark.FileInfo, body io.Reader, at io.ReaderAt, wants []bulwark.Extractor, found *fileFacts) error {
	if at == nil || info.Size <= smallFile {
		data, free, err := w.load(info, body)
		if errors.Is(err, bulwark.ErrLimit) {
			for _, x := range wants {
				w.note(x.Info().Name, info.Path, err)
			}
			return w.stream(info, body, found)
		}
		if err != nil {
			return err
		}
		defer free()
		at = bytesAt(data)
	}
	file := &bulwark.File{FileInfo: *info, ReaderAt: at}
	for _, x := range wants {
		var got bulwark.Facts
		err := guard(x, info.Path, func() (err error) {
			got, err = x.Extract(w.ctx, file)
			return err
		})
		w.note(x.Info().Name, info.Path, err)
		found.add(got)
	}
	if len(w.sinks) == 0 {
		return nil
	}
	return w.stream(info, file.Reader(), found)
}

// load reads a file into memory, within the budget. free gives the memory back.
func (w *walker) load(info *bulwark.FileInfo, body io.Reader) (data []byte, free func(), err error) {
	if info.Size > w.most {
		return nil, nil, fmt.Errorf("file of %d bytes, at most %d are read into memory: %w", info.Size, w.most, bulwark.ErrLimit)
	}
	if err := w.memory.Acquire(w.ctx, info.Size); err != nil {
		return nil, nil, err
	}
	free = func() { w.memory.Release(info.Size) }
	data = w.buffer
	if int64(cap(data)) < info.Size {
		data = make([]byte, info.Size)
		if info.Size <= smallFile {
			w.buffer = data
		}
	}
	n, err := io.ReadFull(body, data[:info.Size])
	if err != nil && !errors.Is(err, io.EOF) && !errors.Is(err, io.ErrUnexpectedEOF) {
		free()
		return nil, nil, err
	}
	return data[:n], free, nil // a file that shrank while it was read is what is left of it
}

// stream pushes the file to the sinks, piece by piece, as long as one wants more.
func (w *walker) stream(info *bulwark.FileInfo, body io.Reader, found *fileFacts) error {
	open := len(w.sinks)
	for open > 0 {
		n, err := body.Read(w.piece)
		for i := range w.sinks {
			s := &w.sinks[i]
			if n == 0 || s.Sink == nil {
				continue
			}
			werr := guard(s.plugin, info.Path, func() error { _, err := s.Write(w.piece[:n]); return err })
			if werr != nil {
				w.close(s, info.Path, werr, found)
				open--
			}
		}
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return err
		}
	}
	for i := range w.sinks {
		if s := &w.sinks[i]; s.Sink != nil {
			w.close(s, info.Path, nil, found)
		}
	}
	return nil
}

// close ends a sink, after err of its Write, and takes what it found.
func (w *walker) close(s *sink, p string, err error, found *fileFacts) {
	if errors.Is(err, bulwark.ErrSkip) {
		err = nil
	}
	var got bulwark.Facts
	cerr := guard(s.plugin, p, func() (err error) {
		got, err = s.Sink.Close()
		return err
	})
	w.note(s.plugin.Info().Name, p, errors.Join(err, cerr))
	found.add(got)
	s.Sink = nil
}

// bytesAt is bytes.Reader without its position.
type bytesAt []byte

func (b bytesAt) ReadAt(p []byte, off int64) (int, error) {
	if off < 0 || off >= int64(len(b)) {
		return 0, io.EOF
	}
	n := copy(p, b[off:])
	if n < len(p) {
		return n, io.EOF
	}
	return n, nil
}
