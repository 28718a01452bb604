//go:build linux

// Command deed does single things that shells cannot, as an intruder's program would. It says "done" when it did.
package main

import (
	"crypto/tls"
	"fmt"
	"net"
	"os"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"bulwark/internal/mxcsr"
)

var deeds = map[string]func([]string) error{"load": load, "splice": splice, "hello": hello, "sockets": sockets, "refuse": refuse, "ask": ask, "round": round}

func main() {
	if len(os.Args) < 2 || deeds[os.Args[1]] == nil {
		os.Exit(2)
	}
	if err := deeds[os.Args[1]](os.Args[2:]); err != nil {
		fmt.Println("failed:", err)
		os.Exit(1)
	}
	fmt.Println("done")
}

// round rounds numbers up, or to the nearest, while it leaves the processor again and again.
func round(args []string) error {
	to := uint32(mxcsr.Nearest)
	if args[0] == "up" {
		to = mxcsr.Up
	}
	if !mxcsr.Round(to, 100) {
		return fmt.Errorf("this processor has no register for it")
	}
	return nil
}

// load maps a file so that it may be executed.
func load(args []string) error {
	f, err := os.Open(args[0])
	if err != nil {
		return err
	}
	defer f.Close()
	b, err := unix.Mmap(int(f.Fd()), 0, 4096, unix.PROT_READ|unix.PROT_EXEC, unix.MAP_PRIVATE)
	if err != nil {
		return err
	}
	return unix.Munmap(b)
}

// splice moves some bytes of a file into a pipe, without a copy.
func splice(args []string) error {
	f, err := os.Open(args[0])
	if err != nil {
		return err
	}
	defer f.Close()
	var n int
	fmt.Sscan(args[1], &n)
	var pipe [2]int
	if err := unix.Pipe2(pipe[:], 0); err != nil {
		return err
	}
	got, err := unix.Splice(int(f.Fd()), new(int64), pipe[1], nil, n, 0)
	if err == nil && got != int64(n) {
		err = fmt.Errorf("%d of %d bytes", got, n)
	}
	return err
}

// hello says to a server of its own which server it wants, as TLS clients do.
func hello(args []string) error {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	defer l.Close()
	read := make(chan error, 1)
	go func() {
		c, err := l.Accept()
		if err == nil {
			_, err = c.Read(make([]byte, 4096))
			c.Close()
		}
		read <- err
	}()
	c, err := net.DialTimeout("tcp", l.Addr().String(), 5*time.Second)
	if err != nil {
		return err
	}
	defer c.Close()
	_ = tls.Client(c, &tls.Config{ServerName: args[0], MinVersion: tls.VersionTLS12}).Handshake()
	return <-read
}

// sockets opens sockets until there is no room, and then tries a hundred times more.
func sockets([]string) error {
	if err := unix.Setrlimit(unix.RLIMIT_NOFILE, &unix.Rlimit{Cur: 32, Max: 32}); err != nil {
		return err
	}
	failed := 0
	for range 150 {
		if _, err := unix.Socket(unix.AF_INET, unix.SOCK_STREAM, 0); err == unix.EMFILE {
			failed++
		}
	}
	if failed < 100 {
		return fmt.Errorf("%d were refused", failed)
	}
	return nil
}

// refuse serves what answers all that it is asked by a text, and asks it twenty times: over a connection each, or over one.
func refuse(args []string) error {
	l, err := net.Listen("tcp", args[0])
	if err != nil {
		return err
	}
	defer l.Close()
	text := strings.NewReplacer(`\r`, "\r", `\n`, "\n", `\0`, "\x00").Replace(args[1])
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go func() {
				defer c.Close()
				for b := make([]byte, 512); ; {
					if _, err := c.Read(b); err != nil {
						return
					}
					_, _ = c.Write([]byte(text))
				}
			}()
		}
	}()
	connections, tries := 20, 1
	if len(args) > 2 && args[2] == "over-one" {
		connections, tries = 1, 20
	}
	for range connections {
		if err := try(args[0], tries); err != nil {
			return err
		}
	}
	return nil
}

// try asks so many times over one connection.
func try(to string, times int) error {
	c, err := net.DialTimeout("tcp", to, 5*time.Second)
	if err != nil {
		return err
	}
	defer c.Close()
	for range times {
		if _, err := c.Write([]byte("AUTH x\r\n")); err != nil {
			return err
		}
		if _, err := c.Read(make([]byte, 512)); err != nil {
			return err
		}
	}
	return nil
}

// ask asks a server of names that nobody is for names below a domain.
func ask(args []string) error {
	l, err := net.ListenPacket("udp", "127.0.0.1:53") // nobody answers
	if err != nil {
		return err
	}
	defer l.Close()
	c, err := net.Dial("udp", "127.0.0.1:53")
	if err != nil {
		return err
	}
	for i := range 40 {
		name := args[0]
		if len(args) > 1 {
			name = fmt.Sprintf("%x%s.%s", []byte(fmt.Sprintf("%d secret bytes %d", i*7919, i)), args[1], args[0])
		}
		q := []byte{byte(i), 1, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0}
		for label := range strings.SplitSeq(name, ".") {
			q = append(append(q, byte(len(label))), label...)
		}
		if _, err := c.Write(append(q, 0, 0, 16, 0, 1)); err != nil {
			return err
		}
		time.Sleep(time.Millisecond)
	}
	return nil
}
