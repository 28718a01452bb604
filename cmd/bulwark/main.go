// Command bulwark finds, ranks and stops what can go wrong with containers.
package main

import (
	"os"
	"runtime/debug"

	"bulwark/internal/cli"
)

// memory is where the garbage collector starts to work harder, so that hostile input
// that fills every budget stays below 256 MB. Ordinary scans do not come near.
const memory = 192 << 20

func main() {
	if os.Getenv("GOMEMLIMIT") == "" {
		debug.SetMemoryLimit(memory)
	}
	os.Exit(cli.Main(os.Args[1:], os.Stdin, os.Stdout, os.Stderr))
}
