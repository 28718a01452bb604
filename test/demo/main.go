// Command demo writes the image that `make demo` scans: a docker-archive of three
// layers, made by code. The base layer has a dpkg database as Debian 12.0 had it, the
// next one an npm application, Python distributions, Java archives and a Go program
// that is built on the spot, and a token that the last layer deletes, too late. A
// password stands in the environment, and nobody said who the container runs as.
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
		{"COPY app /srv/app # buildkit", application(program)},
		{"RUN /bin/sh -c rm /srv/app/.env # buildkit", map[string]file{"srv/app/.wh..env": {}}},
	}
	password := "DB_PASSWORD=" + characters(20)
	f, err := os.Create(name)
	if err != nil {
		return err
	}
	if err := writeArchive(f, "demo:1", layers, password); err != nil {
		return err
	}
	return f.Close()
}
