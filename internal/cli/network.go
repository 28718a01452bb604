package cli

import (
	"encoding/json"
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"bulwark/network"
)

func (a *app) networkCommand() *cobra.Command {
	c := &cobra.Command{Use: "network", Short: "Who can talk to whom, by which policy, and what is open to the outside"}
	c.AddCommand(a.networkListCommand())
	return c
}

func (a *app) networkListCommand() *cobra.Command {
	r := &rights{app: a}
	c := &cobra.Command{
		Use: "list TARGET", Short: "List every connection that policies let through",
		Args: cobra.ExactArgs(1), PreRunE: a.settle,
		RunE: func(c *cobra.Command, args []string) error {
			s, err := r.open(c.Context(), args[0])
			if err != nil {
				return err
			}
			e := network.Of(s)
			for _, p := range e.Problems {
				l := p.Object.Place(p.Path...)
				r.note("%s:%d: %s: %s", l.File, l.Line, p.Object.ID(), p.Text)
			}
			list := e.Connections()
			return a.write(func(w io.Writer) error { return writeConnections(w, r.format, list) })
		},
	}
	r.flags(c.Flags())
	c.Flags().Lookup("format").DefValue, r.format = "text", "text"
	return c
}

func writeConnections(w io.Writer, format string, list []network.Connection) error {
	if format == "json" {
		type line struct {
			From string `json:"src"`
			To   string `json:"dst"`
			Conn string `json:"conn"`
		}
		lines := make([]line, len(list))
		for i, c := range list {
			lines[i] = line{c.From, c.To, c.Ports.String()}
		}
		e := json.NewEncoder(w)
		e.SetEscapeHTML(false)
		e.SetIndent("", "  ")
		return e.Encode(lines)
	}
	for _, c := range list {
		if _, err := fmt.Fprintln(w, c.String()); err != nil {
			return err
		}
	}
	return nil
}
