package cli

import (
	"context"
	"io"
	"os"
)

// patient reads standard input, and gives up when its context ends: whoever writes may
// keep silent for ever, and no signal or deadline ends a read of a pipe.
type patient struct {
	ctx  context.Context // of the one target that is read from here
	from io.Reader
	read chan result
	left []byte // of what was handed over
	err  error  // that follows it
}

type result struct {
	data []byte
	err  error
}

// await wraps what may block; a regular file, which sources read in place, stays as it is.
func await(ctx context.Context, in io.Reader) io.Reader {
	if f, ok := in.(*os.File); ok {
		if st, err := f.Stat(); err == nil && st.Mode().IsRegular() {
			return in
		}
	}
	return &patient{ctx: ctx, from: in}
}

// Read waits for the goroutine that reads ahead. After the context's end that may stay
// blocked until the process ends, which is then near.
func (p *patient) Read(b []byte) (int, error) {
	if p.read == nil {
		p.read = make(chan result)
		go p.run()
	}
	for len(p.left) == 0 && p.err == nil {
		select {
		case r := <-p.read:
			p.left, p.err = r.data, r.err
		case <-p.ctx.Done():
			return 0, context.Cause(p.ctx)
		}
	}
	if len(p.left) == 0 {
		return 0, p.err
	}
	n := copy(b, p.left)
	p.left = p.left[n:]
	return n, nil
}

// run reads in turns of two buffers: the one that was handed over is in use until the
// next is taken.
func (p *patient) run() {
	buffers := [2][]byte{make([]byte, 64<<10), make([]byte, 64<<10)}
	for i := 0; ; i++ {
		n, err := p.from.Read(buffers[i%2])
		select {
		case p.read <- result{buffers[i%2][:n], err}:
		case <-p.ctx.Done():
			return
		}
		if err != nil {
			return
		}
	}
}
