package main

import (
	"errors"
	"io"
	"net"
	"os"
	"syscall"

	"golang.org/x/sys/unix"
)

// allHarms are attacks that a container can do with what it is given here.
func allHarms() []harm {
	m := new(fileless)
	return []harm{
		{rule: "escape/core-pattern", do: func() error { return opened("/proc/sys/kernel/core_pattern", os.O_WRONLY) }},
		{rule: "escape/kernel-setting", do: func() error { return opened("/proc/sys/kernel/panic", os.O_WRONLY) }},
		{rule: "escape/device-made", do: func() error { return unless(syscall.EEXIST, unix.Mknod("/tmp/disk", unix.S_IFBLK|0o600, 0x700)) }},
		{rule: "access/shadow", do: func() error { return opened("/etc/shadow", os.O_RDONLY) }},
		{rule: "persist/cron", do: func() error { return opened("/etc/cron.d/job", os.O_WRONLY|os.O_CREATE) }},
		{rule: "persist/authorized-keys", do: func() error { return opened("/root/.ssh/authorized_keys", os.O_WRONLY|os.O_CREATE) }},
		{rule: "drift/preload", do: func() error { return opened("/etc/ld.so.preload", os.O_WRONLY|os.O_CREATE) }},
		{rule: "drift/temporary-program", ready: func() error { return copied("/tmp/x") }, do: func() error { return starts("/tmp/x") }},
		{rule: "drift/memory-program", ready: m.fill, do: m.run},
		{rule: "network/raw-socket", do: func() error {
			fd, err := unix.Socket(unix.AF_PACKET, unix.SOCK_RAW, 0)
			if err == nil {
				err = unix.Close(fd)
			}
			return err
		}},
		{rule: "network/metadata", ready: func() error { return address("lo:1", net.IPv4(169, 254, 169, 254)) }, do: func() error {
			_, err := net.Dial("tcp", "169.254.169.254:80")
			return unless(syscall.ECONNREFUSED, err)
		}},
		{rule: "miner/stratum", ready: loopback, do: mine},
	}
}

func unless(fine syscall.Errno, err error) error {
	if errors.Is(err, fine) {
		return nil
	}
	return err
}

func opened(name string, flags int) error {
	f, err := os.OpenFile(name, flags, 0o600)
	if err != nil {
		return err
	}
	return f.Close()
}

func own() ([]byte, error) { return os.ReadFile("/proc/self/exe") }

// starts runs a program as this one's job that does nothing.
func starts(file string) error {
	p, err := os.StartProcess(file, []string{file, "nothing"}, &os.ProcAttr{})
	if err != nil {
		return err
	}
	_, err = p.Wait()
	return err
}

func copied(to string) error {
	b, err := own()
	if err != nil {
		return err
	}
	return os.WriteFile(to, b, 0o700)
}

// fileless is a program that is in no file.
type fileless struct{ f *os.File }

func (m *fileless) fill() error {
	fd, err := unix.MemfdCreate("x", 0)
	if err != nil {
		return err
	}
	m.f = os.NewFile(uintptr(fd), "x")
	b, err := own()
	if err == nil {
		_, err = m.f.Write(b)
	}
	return err
}

func (m *fileless) run() error {
	defer m.f.Close()
	p, err := os.StartProcess("/proc/self/fd/3", []string{"x", "nothing"}, &os.ProcAttr{Files: []*os.File{nil, nil, nil, m.f}})
	if err != nil {
		return err
	}
	_, err = p.Wait()
	return err
}

// mine says what a miner says first, on loopback.
func mine() error {
	l, err := net.Listen("tcp", "127.0.0.1:3333")
	if err != nil {
		return err
	}
	defer l.Close()
	c, err := net.Dial("tcp", l.Addr().String())
	if err != nil {
		return err
	}
	defer c.Close()
	_, err = io.WriteString(c, `{"id":1,"jsonrpc":"2.0","method":"login","params":{"login":"4wallet","pass":"x","agent":"XMRig/6.21.0","algo":["rx/0"]}}`+"\n")
	return err
}

func loopback() error { return address("lo", net.IPv4(127, 0, 0, 1)) }

// address gives an interface of the container's own an address, and brings it up.
func address(name string, ip net.IP) error {
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_DGRAM, 0)
	if err != nil {
		return err
	}
	defer unix.Close(fd)
	r, err := unix.NewIfreq(name)
	if err != nil {
		return err
	}
	if err := r.SetInet4Addr(ip.To4()); err != nil {
		return err
	}
	if err := unix.IoctlIfreq(fd, unix.SIOCSIFADDR, r); err != nil {
		return err
	}
	if r, err = unix.NewIfreq(name); err != nil {
		return err
	}
	r.SetUint16(unix.IFF_UP)
	return unix.IoctlIfreq(fd, unix.SIOCSIFFLAGS, r)
}
