// Command bulwark finds, ranks and stops what can go wrong with containers.
package main

import (
	"os"

	"bulwark/internal/cli"
)

func main() {
	cli.TuneMemory()
	os.Exit(cli.Main(os.Args[1:], os.Stdin, os.Stdout, os.Stderr))
}
