package action

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net/netip"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"

	"bulwark"
	"bulwark/internal/glob"
	"bulwark/internal/yamlerr"
)

// mostEntries bounds a file.
const mostEntries = 1000

type document struct {
	Actions []yaml.Node
}

type written struct {
	Rules  []string
	Action string
	Whole  string
	Only   Selection
	Except Selection
	Name   string
	Deed   string
	Folder []string `yaml:"folders"`
	To     []string
	Allow  []string
}

// Parse reads a file of actions. All that is wrong is told at once.
func Parse(name string, data []byte) (list []Entry, problems []Problem) {
	var file document
	d := yaml.NewDecoder(bytes.NewReader(data))
	d.KnownFields(true)
	if err := d.Decode(&file); err != nil && !errors.Is(err, io.EOF) {
		return nil, []Problem{{Place: name, Text: yamlerr.Plain(err)}}
	}
	if len(file.Actions) > mostEntries {
		return nil, []Problem{{Place: name, Text: fmt.Sprintf("more than %d actions", mostEntries)}}
	}
	for i := range file.Actions {
		n := &file.Actions[i]
		place := fmt.Sprintf("%s:%d", name, n.Line)
		e, err := parse(n)
		if err != nil {
			problems = append(problems, Problem{Place: place, Text: inEntry.ReplaceAllString(yamlerr.Plain(err), "")})
			continue
		}
		e.Place = place
		list = append(list, e)
	}
	return list, problems
}

// inEntry are lines as parse counts them, from the start of an entry.
var inEntry = regexp.MustCompile(`\bline \d+: `)

func parse(n *yaml.Node) (e Entry, err error) {
	var w written
	b, err := yaml.Marshal(n) // a node has no way to refuse unknown keys
	if err != nil {
		return e, err
	}
	d := yaml.NewDecoder(bytes.NewReader(b))
	d.KnownFields(true)
	if err := d.Decode(&w); err != nil {
		return e, err
	}
	e = Entry{Rules: w.Rules, Action: Action(w.Action), Only: w.Only, Except: w.Except}
	for _, list := range [][]string{w.Rules, w.Only.Images, w.Only.Containers, w.Only.Namespaces, w.Except.Images, w.Except.Containers, w.Except.Namespaces} {
		for _, p := range list {
			if p == "" || !glob.Valid(p) {
				return e, fmt.Errorf("%q is no pattern", p)
			}
		}
	}
	switch {
	case !slices.Contains([]Action{Alert, Freeze, Kill, Deny}, e.Action):
		return e, fmt.Errorf("action %q: it is alert, freeze, kill or deny", w.Action)
	case e.Action != Deny && w.Name+w.Deed != "", e.Action != Deny && len(w.Folder)+len(w.To)+len(w.Allow) > 0:
		return e, errors.New("name, deed, folders, to and allow are for action: deny")
	case len(w.Rules) == 0 && (e.Action != Deny || w.Deed == ""):
		return e, errors.New("rules: none is named; action: deny needs none where a deed is given")
	case w.Whole != "" && e.Action != Kill:
		return e, errors.New("whole is for action: kill; freeze is always for the whole container")
	}
	switch w.Whole {
	case "", "process":
	case "container":
		e.Whole = true
	default:
		return e, fmt.Errorf("whole: %q: it is process (with what it started) or container", w.Whole)
	}
	if w.Deed != "" {
		e.Deny, err = w.denial()
	} else if len(w.Folder)+len(w.To)+len(w.Allow) > 0 {
		err = errors.New("folders, to and allow belong to a deed")
	}
	return e, err
}

func (w *written) denial() (*Denial, error) {
	d := &Denial{Name: w.Name, Block: bulwark.Block{Deed: bulwark.Deed(w.Deed), Below: w.Folder}}
	if w.Name == "" && len(w.Rules) == 0 {
		return nil, errors.New("a deed of no rule needs a name")
	}
	if strings.ContainsFunc(w.Name, func(r rune) bool { return !(r == '-' || r == '.' || '0' <= r && r <= '9' || 'a' <= r && r <= 'z') }) {
		return nil, fmt.Errorf("name %q: it has small letters, digits, - and . alone", w.Name)
	}
	if hooks[d.Deed] == nil {
		return nil, fmt.Errorf("deed %q: it is exec-drift, exec-below, exec-memory, connect or mine", w.Deed)
	}
	if (d.Deed == bulwark.DeedExecBelow) != (len(w.Folder) > 0) {
		return nil, errors.New("folders are for deed: exec-below, which needs some")
	}
	for _, f := range w.Folder {
		if !strings.HasPrefix(f, "/") {
			return nil, fmt.Errorf("folder %q: it begins with /", f)
		}
	}
	if d.Deed != bulwark.DeedConnect && len(w.To)+len(w.Allow) > 0 || d.Deed == bulwark.DeedConnect && (len(w.To) > 0) == (len(w.Allow) > 0) {
		return nil, errors.New("to (what is denied) or allow (all else is denied) are for deed: connect, which needs one of them")
	}
	var err error
	if d.Nets, err = destinations(w.To); err != nil {
		return nil, err
	}
	d.Except, err = destinations(w.Allow)
	return d, err
}

func destinations(list []string) (all []bulwark.Destination, err error) {
	for _, s := range list {
		if s == "metadata" {
			for _, p := range Metadata {
				all = append(all, bulwark.Destination{Net: p})
			}
			continue
		}
		d, err := destination(s)
		if err != nil {
			return nil, err
		}
		all = append(all, d)
	}
	return all, nil
}

// destination reads ADDRESS or NETWORK, with :PORT or :FIRST-LAST and /tcp or /udp behind it; addresses of IPv6 in brackets
// where a port follows; "*" is everywhere.
func destination(s string) (d bulwark.Destination, err error) {
	bad := fmt.Errorf("destination %q: it is written as 10.0.0.0/8, 10.1.2.3:443/tcp, [2001:db8::1]:53-54/udp, *:25, or metadata", s)
	rest := s
	for name, proto := range map[string]uint8{"/tcp": 6, "/udp": 17} {
		if cut, ok := strings.CutSuffix(rest, name); ok {
			rest, d.Proto = cut, proto
		}
	}
	where, ports := rest, ""
	if i := strings.LastIndexByte(rest, ':'); i >= 0 && (strings.Count(rest, ":") == 1 || strings.HasSuffix(rest[:i], "]")) {
		where, ports = rest[:i], rest[i+1:]
		if ports == "" {
			return d, bad
		}
	}
	where = strings.TrimSuffix(strings.TrimPrefix(where, "["), "]")
	if where != "*" {
		if a, err := netip.ParseAddr(where); err == nil {
			d.Net = netip.PrefixFrom(a, a.BitLen())
		} else if d.Net, err = netip.ParsePrefix(where); err != nil {
			return d, bad
		}
	}
	if ports == "" {
		return d, nil
	}
	first, last, both := strings.Cut(ports, "-")
	if !both {
		last = first
	}
	a, err := strconv.ParseUint(first, 10, 16)
	z, err2 := strconv.ParseUint(last, 10, 16)
	if err != nil || err2 != nil || a == 0 || z < a {
		return d, bad
	}
	d.Ports = [2]uint16{uint16(a), uint16(z)}
	return d, nil
}
