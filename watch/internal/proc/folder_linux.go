package proc

import (
	"strconv"

	"golang.org/x/sys/unix"

	"bulwark"
)

// folder is that of one process: what is read there is not of another that got its number meanwhile. What it reads is good
// until it reads again.
type folder struct {
	*Reader
	fd int
}

func (r *Reader) open(pid int) (folder, error) {
	fd, err := unix.Open(r.proc.dir()+"/"+strconv.Itoa(pid), unix.O_PATH|unix.O_DIRECTORY|unix.O_CLOEXEC, 0)
	if err != nil {
		return folder{}, err
	}
	return folder{r, fd}, nil
}

func (d folder) close() { unix.Close(d.fd) }

// read gives the first bytes of a file.
func (d folder) read(name string, most int) ([]byte, error) {
	fd, err := unix.Openat(d.fd, name, unix.O_RDONLY|unix.O_CLOEXEC, 0)
	if err != nil {
		return nil, err
	}
	defer unix.Close(fd)
	for n := 0; ; {
		more, err := unix.Read(fd, d.room[n:most])
		switch {
		case err == unix.EINTR:
			continue
		case err != nil:
			return nil, err
		}
		if n += more; more == 0 || n == most {
			return d.room[:n], nil
		}
	}
}

// link is where a link leads.
func (d folder) link(name string) ([]byte, error) {
	n, err := unix.Readlinkat(d.fd, name, d.room)
	if err != nil {
		return nil, err
	}
	return d.room[:n], nil
}

// executable describes the file that is executed, as far as it can be looked at.
func (d folder) executable(p *bulwark.Program) {
	var st unix.Stat_t
	if unix.Fstatat(d.fd, "exe", &st, 0) != nil {
		return
	}
	p.Inode, p.Device = st.Ino, uint64(st.Dev)
	p.Changed, p.Modified = st.Ctim.Nano(), st.Mtim.Nano()
}

// inode is that of a file; 0: it cannot be looked at.
func inode(name string) uint64 {
	var st unix.Stat_t
	if unix.Stat(name, &st) != nil {
		return 0
	}
	return st.Ino
}
