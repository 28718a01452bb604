// Package image judges how an image is configured: its configuration and history, and
// what modes, accounts and package sources of its files say.
//
// It has three plugins. [Inspector] keeps the modes of files that stand out, [Extractor]
// reads accounts and the settings of package managers, and [Check] puts them together
// with the configuration. What is read here needs no other file is a finding of the
// extractor; all else is kept as a document. No password hash is kept.
//
// The values of variables are left to the check of secrets; here a name that sounds like
// a secret matters only where its value is too weak to be taken for one.
package image

import (
	"context"
	"encoding/json"
	"fmt"

	"bulwark"
	"bulwark/internal/telling"
)

const name = "check/image"

var (
	_ bulwark.Check     = (*Check)(nil)
	_ bulwark.Ruler     = (*Check)(nil)
	_ bulwark.Inspector = (*Inspector)(nil)
	_ bulwark.Extractor = (*Extractor)(nil)
)

// Check judges an image.
type Check struct{}

// New returns the check.
func New() *Check { return &Check{} }

// Info describes the check.
func (*Check) Info() bulwark.Info {
	return bulwark.Info{Name: name, Summary: "How an image is configured: user, ports, environment, modes, accounts.", Version: 3}
}

// config is the part of an image's configuration that is judged.
type config struct {
	User         string
	ExposedPorts map[string]json.RawMessage
	Env          []string
	Entrypoint   []string
	Cmd          []string
	Volumes      map[string]json.RawMessage
	WorkingDir   string
	StopSignal   string
	Healthcheck  *struct{ Test []string }
}

// subject is one image while it is judged.
type subject struct {
	config
	t       *bulwark.Target
	inv     *bulwark.Inventory
	history []line
	users   []account
	emit    func(*bulwark.Finding)
}

// Check emits what is wrong with the files of a whole root file system, and with the
// configuration if it is an image's. A configuration that cannot be read is an error
// wrapping ErrMalformed; files and history are judged all the same.
func (*Check) Check(ctx context.Context, t *bulwark.Target, inv *bulwark.Inventory, emit func(bulwark.Record)) error {
	if !t.Absolute {
		return nil
	}
	s := &subject{t: t, inv: inv, users: accounts(inv), emit: once(emit)}
	s.files()
	s.accounts()
	if t.Image == nil {
		return ctx.Err()
	}
	s.history = lines(t)
	s.name()
	s.labels()
	s.steps()
	if err := s.read(t.Image.Config); err != nil {
		return err
	}
	s.user()
	s.environment()
	s.ports()
	s.process()
	s.tools()
	s.leftovers()
	return ctx.Err()
}

// once leaves out what the configuration or history says again: it has no place to add. What
// may be a secret in what is shown is hidden.
func once(emit func(bulwark.Record)) func(*bulwark.Finding) {
	seen := map[string]bool{}
	return func(f *bulwark.Finding) {
		if f.Path == "" && seen[f.Key] {
			return
		}
		seen[f.Key] = true
		f.Subject = telling.Mask(f.Subject)
		for i, e := range f.Evidence {
			f.Evidence[i] = telling.Mask(e)
		}
		emit(bulwark.Record{Finding: f})
	}
}

// read decodes the configuration.
func (s *subject) read(data []byte) error {
	var whole struct{ Config *config }
	if err := json.Unmarshal(data, &whole); err != nil {
		return fmt.Errorf("configuration of the image: %w: %w", bulwark.ErrMalformed, err)
	}
	if whole.Config != nil {
		s.config = *whole.Config
	}
	return nil
}
