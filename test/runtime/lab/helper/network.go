//go:build linux

package main

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"iter"
	"net"
	"os"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

func lines(b []byte) iter.Seq[string] {
	return func(yield func(string) bool) {
		for s := bufio.NewScanner(bytes.NewReader(b)); s.Scan(); {
			if !yield(s.Text()) {
				return
			}
		}
	}
}

// get asks who listens at a unix socket.
func get(path string) error {
	c, err := net.DialTimeout("unix", path, 5*time.Second)
	if err != nil {
		return err
	}
	defer c.Close()
	if _, err := io.WriteString(c, "GET /version HTTP/1.0\r\n\r\n"); err != nil {
		return err
	}
	b, err := io.ReadAll(io.LimitReader(c, 1<<16))
	if err == nil && !bytes.Contains(b, []byte("200")) {
		err = errors.New("it does not answer")
	}
	return err
}

func unixGet(args []string) error { return get(arg(args, 0)) }

func unixOwn(args []string) error {
	l, err := net.Listen("unix", arg(args, 0))
	if err != nil {
		return err
	}
	defer l.Close()
	go answer(l, "HTTP/1.0 200 OK\r\n\r\n")
	return get(arg(args, 0))
}

func answer(l net.Listener, text string) {
	for {
		c, err := l.Accept()
		if err != nil {
			return
		}
		go func() {
			defer c.Close()
			var b [4096]byte
			if _, err := c.Read(b[:]); err == nil {
				_, _ = io.WriteString(c, text)
			}
		}()
	}
}

// local listens on this container's own loopback.
func local(port, text string) (net.Listener, error) {
	l, err := net.Listen("tcp", "127.0.0.1:"+port)
	if err == nil {
		go answer(l, text)
	}
	return l, err
}

// talk sends a text to an address, which is a server of its own where it is "own", and waits for the answer.
func talk(address, port, text string) error {
	if address == "own" || address == "" {
		l, err := local(port, `{"id":1,"result":true}`+"\n")
		if err != nil {
			return err
		}
		defer l.Close()
		address = l.Addr().String()
	}
	c, err := net.DialTimeout("tcp", address, 5*time.Second)
	if err != nil {
		return err
	}
	defer c.Close()
	_ = c.SetDeadline(time.Now().Add(3 * time.Second))
	if _, err := io.WriteString(c, text); err != nil {
		return err
	}
	_, err = c.Read(make([]byte, 100))
	return err
}

func stratum(args []string) error {
	return talk(arg(args, 0), "3333", `{"id":1,"jsonrpc":"2.0","method":"login","params":{"login":"4wallet","pass":"x","agent":"XMRig/6.21.0","algo":["rx/0"]}}`+"\n")
}

func rpc(args []string) error {
	return talk(arg(args, 0), "8545", `{"id":1,"jsonrpc":"2.0","method":"getStatus","params":[]}`+"\n")
}

// flow sends little for a while.
func flow(args []string) error {
	for range 10 {
		if err := talk(arg(args, 0), "14444", "x\n"); err != nil {
			return err
		}
	}
	return nil
}

// reverse gives a shell to whoever listens: it is its own listener, on loopback, and says what the shell said.
func reverse([]string) error { return reverseShell("") }

// reverseSlow has the shell wait before it answers, so that there is time to stop it.
func reverseSlow([]string) error { return reverseShell("sleep 3\n") }

// reach tries to connect. That nobody answers is fine; that it may not is not.
func reach(args []string) error {
	c, err := net.DialTimeout("tcp", arg(args, 0), time.Second)
	if err == nil {
		c.Close()
	}
	if errors.Is(err, unix.EPERM) {
		return err
	}
	return nil
}

func reverseShell(first string) error {
	l, err := net.Listen("tcp", "127.0.0.1:4444")
	if err != nil {
		return err
	}
	defer l.Close()
	said := make(chan string, 1)
	go func() {
		c, err := l.Accept()
		if err != nil {
			said <- err.Error()
			return
		}
		defer c.Close()
		_, _ = io.WriteString(c, first+"echo shell-$((40+2))\nexit\n")
		b, _ := io.ReadAll(c)
		said <- string(b)
	}()
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_STREAM, 0)
	if err != nil {
		return err
	}
	if err := unix.Connect(fd, &unix.SockaddrInet4{Port: 4444, Addr: [4]byte{127, 0, 0, 1}}); err != nil {
		return err
	}
	// The shell's standard files are the socket: the child's dup2 makes them.
	p, err := os.StartProcess("/bin/sh", []string{"sh"}, &os.ProcAttr{Files: []*os.File{os.NewFile(uintptr(fd), "s"), os.NewFile(uintptr(fd), "s"), os.NewFile(uintptr(fd), "s")}})
	if err != nil {
		return err
	}
	_ = unix.Close(fd)
	if _, err := p.Wait(); err != nil {
		return err
	}
	if text := <-said; !strings.Contains(text, "shell-42") {
		return fmt.Errorf("the shell said %q", text)
	}
	return nil
}

// chat connects as reverse does, and gives nobody a shell.
func chat([]string) error { return talk("own", "4444", "hello\n") }

func packet([]string) error {
	fd, err := unix.Socket(unix.AF_PACKET, unix.SOCK_RAW, 0x0300)
	if err != nil {
		return err
	}
	return unix.Close(fd)
}

func datagram([]string) error {
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_DGRAM, 0)
	if err != nil {
		return err
	}
	return unix.Close(fd)
}

// dns asks for a name at a server of its own, on loopback, which knows none.
func dns(args []string) error {
	srv, err := net.ListenPacket("udp", "127.0.0.1:53")
	if err != nil {
		return err
	}
	defer srv.Close()
	go func() {
		var b [512]byte
		for {
			n, from, err := srv.ReadFrom(b[:])
			if err != nil {
				return
			}
			if n > 3 {
				b[2], b[3] = b[2]|0x80, b[3]&0xf0|3 // an answer: there is no such name
				_, _ = srv.WriteTo(b[:n], from)
			}
		}
	}()
	for _, name := range args {
		c, err := net.Dial("udp", "127.0.0.1:53")
		if err != nil {
			return err
		}
		_ = c.SetDeadline(time.Now().Add(5 * time.Second))
		if _, err = c.Write(question(name)); err == nil {
			_, err = c.Read(make([]byte, 512))
		}
		c.Close()
		if err != nil {
			return err
		}
	}
	return nil
}

func question(name string) []byte {
	b := []byte{0x12, 0x34, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0}
	for label := range strings.SplitSeq(name, ".") {
		b = append(append(b, byte(len(label))), label...)
	}
	return append(b, 0, 0, 1, 0, 1)
}

// scan tries ports of an address, one after the other.
func scan(args []string) error {
	last, err := strconv.Atoi(arg(args, 1))
	if err != nil {
		return err
	}
	for port := 1; port <= last; port++ {
		if c, err := net.DialTimeout("tcp", net.JoinHostPort(arg(args, 0), strconv.Itoa(port)), 100*time.Millisecond); err == nil {
			c.Close()
		}
	}
	return nil
}

func few(args []string) error { return scan([]string{arg(args, 0), "2"}) }

// serve is a web server that is asked once.
func serve([]string) error { return talk("own", "8080", "GET / HTTP/1.0\r\n\r\n") }

// listen waits for who connects to a port.
func listen(args []string) error {
	l, err := net.Listen("tcp", "0.0.0.0:"+arg(args, 0))
	if err != nil {
		return err
	}
	defer l.Close()
	go answer(l, "hello\n")
	return sleep([]string{"1m"})
}
