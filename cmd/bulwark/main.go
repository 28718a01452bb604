// Command bulwark finds, ranks and stops what can go wrong with containers.
package main

import (
	"os"

	"bulwark/internal/cli"
	_ "bulwark/internal/memory" // sets the garbage collector
)

func main() {
	os.Exit(cli.Main(os.Args[1:], os.Stdin, os.Stdout, os.Stderr))
}
