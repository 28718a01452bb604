// Command demo writes the image that `make demo` scans: a docker-archive of two
// layers, made by code. The base layer has a dpkg database as Debian 12.0 had it, the
// upper one an npm application, Python distributions, Java archives and a Go program
// that is built on the spot.
//
// usage: demo FILE.tar
package main

import (
	"fmt"
	"os"
)

func main() {
	if len(os.Args) != 2 {
		fmt.Fprintln(os.Stderr, "usage: demo FILE.tar")
		os.Exit(2)
	}
	if err := run(os.Args[1]); err != nil {
		fmt.Fprintln(os.Stderr, "demo:", err)
		os.Exit(1)
	}
}

func run(name string) error {
	program, err := goProgram()
	if err != nil {
		return err
	}
	layers := []layer{
		{"debootstrap bookworm", base()},
		{"COPY app /srv/app", application(program)},
	}
	f, err := os.Create(name)
	if err != nil {
		return err
	}
	if err := writeArchive(f, "demo:1", layers); err != nil {
		return err
	}
	return f.Close()
}
