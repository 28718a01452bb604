// Package cli is the command line: the one package that wires everything.
//
// stdout is the result and nothing else; progress, notes and errors go to stderr.
package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"

	"github.com/spf13/cobra"

	"bulwark"
	"bulwark/source/cluster"
)

// Exit codes, the same for every format.
const (
	exitOK          = 0
	exitFailed      = 1   // no target could be opened, or the command could not do its work
	exitUsage       = 2   // the command line or a configuration file is wrong
	exitFindings    = 3   // --fail-on is met
	exitIncomplete  = 4   // --require-complete, and something could not be looked at
	exitInterrupted = 130 // by a signal
)

// exit is an error that carries its exit code; err may be nil when everything was said.
type exit struct {
	code int
	err  error
	hint string
}

func (e *exit) Error() string {
	if e.err == nil {
		return fmt.Sprintf("exit code %d", e.code)
	}
	return e.err.Error()
}

func (e *exit) Unwrap() error { return e.err }

func usage(format string, args ...any) error {
	return &exit{code: exitUsage, err: fmt.Errorf(format, args...)}
}

// app is one run of the program.
type app struct {
	in       io.Reader
	out, err io.Writer
	*options
	hosts   map[string]bool // registries that the user named
	damaged error           // why the advisory database cannot be believed
}

// Main runs the program with its arguments and gives the exit code.
func Main(args []string, in io.Reader, out, errw io.Writer) int {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	a := &app{in: in, out: out, err: errw, options: &options{}}
	root := a.root()
	root.SetArgs(args)
	root.SetIn(in)
	root.SetOut(out)
	root.SetErr(errw)
	return a.code(ctx, root.ExecuteContext(ctx))
}

func (a *app) root() *cobra.Command {
	root := &cobra.Command{
		Use:           "bulwark",
		Short:         "Find, rank and stop what can go wrong with containers",
		Long:          "Bulwark tells what can go wrong with containers: what is in an image, how Kubernetes is told to run it and who may\ndo what there; what to fix first, and how.\n\nFirst minute:\n  bulwark db update            get the advisory database\n  bulwark scan debian:12       look at an image of a registry\n  bulwark scan deploy/         look at manifests, charts, overlays and Dockerfiles\n  bulwark scan cluster         look at a Kubernetes cluster\n  bulwark scan host            look at this machine\n  bulwark watch                see what runs on this machine (as root)",
		Annotations:   asPlugin(),
		SilenceErrors: true,
		SilenceUsage:  true,
	}
	root.SetFlagErrorFunc(func(_ *cobra.Command, err error) error { return &exit{code: exitUsage, err: err} })
	root.AddCommand(a.scanCommand(), a.sbomCommand(), a.diffCommand(), a.convertCommand(), a.fixCommand(), a.snapshotCommand(), a.rbacCommand(), a.networkCommand(), a.pathsCommand(), a.watchCommand(), a.profileCommand(), a.ruleCommand(), a.policyCommand(), a.explainCommand(), a.dbCommand(), a.versionCommand())
	for _, c := range root.Commands() {
		wrapArgs(c)
	}
	if err := completion(root); err != nil {
		panic(err) // two completions of one flag
	}
	return root
}

// wrapArgs makes a wrong number of operands a usage error.
func wrapArgs(c *cobra.Command) {
	if check := c.Args; check != nil {
		c.Args = func(c *cobra.Command, args []string) error {
			if err := check(c, args); err != nil {
				return &exit{code: exitUsage, err: err, hint: "usage: " + c.UseLine()}
			}
			return nil
		}
	}
	for _, sub := range c.Commands() {
		wrapArgs(sub)
	}
}

// code prints the error, if there is something to say, and gives its exit code.
func (a *app) code(ctx context.Context, err error) int {
	if err == nil {
		return exitOK
	}
	var e *exit
	if !errors.As(err, &e) {
		e = &exit{code: exitFailed, err: err, hint: hint(err)}
		if ctx.Err() != nil {
			return a.interrupted()
		}
		if isCobraUsage(err) {
			e.code = exitUsage
		}
	}
	if e.err != nil {
		fmt.Fprintf(a.err, "bulwark: error: %s\n", clean(e.err.Error()))
	}
	if e.hint != "" {
		fmt.Fprintf(a.err, "bulwark: hint: %s\n", e.hint)
	}
	return e.code
}

func (a *app) interrupted() int {
	fmt.Fprintln(a.err, "bulwark: error: interrupted")
	return exitInterrupted
}

// isCobraUsage tells cobra's own complaints, which have no type, from ours.
func isCobraUsage(err error) bool {
	var prefix = "unknown command"
	return len(err.Error()) >= len(prefix) && err.Error()[:len(prefix)] == prefix
}

// errOffline is why a registry is not asked.
var errOffline = fmt.Errorf("--offline forbids it: %w", bulwark.ErrUnavailable)

// hint says what a person can do about an error.
func hint(err error) string {
	switch {
	case errors.Is(err, context.DeadlineExceeded):
		return "the time given by --timeout was up; give more"
	case errors.Is(err, errOffline):
		return "look at how it is spelt if it is a file or folder; leave --offline out if it is a cluster, or an image of a registry"
	case errors.Is(err, cluster.ErrNoCluster):
		return "say which cluster: --kubeconfig FILE or KUBECONFIG, and --context NAME; files need none: bulwark scan deploy/"
	case errors.Is(err, bulwark.ErrUnavailable):
		return "nothing answers there now: see whether it runs, whether its address is right, and whether it is reached from here"
	case errors.Is(err, bulwark.ErrLimit):
		return "it is larger than the budget that keeps hostile input from exhausting this machine"
	}
	return ""
}
