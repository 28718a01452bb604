package cli

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/user"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"github.com/spf13/cobra"
	"go.yaml.in/yaml/v3"

	"bulwark"
	"bulwark/policy"
	"bulwark/report/alerts"
	"bulwark/watch"
)

// usualExceptions is the file that watch reads and suppress writes where no other one is named.
const usualExceptions = "/etc/bulwark/exceptions.yaml"

// suppressing are the flags of the command watch suppress.
type suppressing struct {
	*app
	file, reason, expires string
}

func (a *app) suppressCommand() *cobra.Command {
	s := &suppressing{app: a}
	c := &cobra.Command{
		Use: "suppress RULE|key:KEY [ASSET]", Short: "Tell no more of what is expected",
		Long: "Suppress adds an exception to the file that bulwark watch reads, and goes on reading: one that runs heeds it at once. What is excepted\n" +
			"is counted still. Each finding names the command that suppresses its rule in its image or on its node.",
		Example: "  bulwark watch suppress shell/terminal image:sha256:2715de28a4de --reason \"people debug it\"",
		Args:    cobra.RangeArgs(1, 2), PreRunE: a.options.settle,
		RunE: func(_ *cobra.Command, args []string) error { return s.run(args) },
	}
	f := c.Flags()
	f.StringVar(&s.file, "exceptions", usualExceptions, "`FILE` to add to")
	f.StringVar(&s.reason, "reason", "expected", "why it is fine, as `TEXT`")
	f.StringVar(&s.expires, "expires", "", "`DATE` until which it holds, as in 2027-01-31")
	f.BoolVar(&a.quiet, "quiet", false, "say nothing where all is well")
	return c
}

func (s *suppressing) run(args []string) error {
	name := args[0]
	entry := [][2]string{{"rule", name}}
	if key, ok := strings.CutPrefix(name, "key:"); ok {
		entry = [][2]string{{"key", wildcard(key, 64)}}
	}
	if len(args) == 2 {
		entry = append(entry, [2]string{"asset", wholeAsset(args[1])})
	}
	entry = append(entry, [2]string{"reason", s.reason}, [2]string{"owner", owner()})
	if s.expires != "" {
		entry = append(entry, [2]string{"expires", s.expires})
	}
	if !isRule(name) {
		s.say("note: no rule that is built in is called %s (bulwark rule list has them)", name)
	}
	if len(args) == 2 && !strings.ContainsAny(args[1], ":*?[") {
		s.say("note: no asset is called %s: the id of one begins with its kind, as in image:sha256:2715de28a4de", args[1])
	}
	if err := except(s.file, entry); err != nil {
		e := &exit{code: exitFailed, err: err}
		if errors.Is(err, fs.ErrPermission) {
			e.hint = "run it as root, or name another file with --exceptions, here and with bulwark watch"
		}
		return e
	}
	s.say("%s has it: %s is not told any more%s", s.file, name, where(args[1:]))
	return nil
}

func (s *suppressing) say(format string, args ...any) {
	if !s.quiet {
		fmt.Fprintf(s.err, "bulwark: %s\n", clean(fmt.Sprintf(format, args...)))
	}
}

// isRule tells whether name may be one of a rule: those of files and patterns are not known here.
func isRule(name string) bool {
	for _, open := range []string{"key:", "falco/", "deny/"} {
		if strings.HasPrefix(name, open) {
			return true
		}
	}
	return strings.ContainsAny(name, "*?[") || slices.ContainsFunc(rulesOf(nil), func(r bulwark.Rule) bool { return r.ID == name })
}

func where(asset []string) string {
	if len(asset) == 0 {
		return ", wherever it is found"
	}
	return " in " + asset[0]
}

// wildcard makes a pattern of the beginning of an id.
func wildcard(id string, whole int) string {
	if len(id) < whole && !strings.ContainsAny(id, "*?") {
		return id + "*"
	}
	return id
}

// wholeAsset makes a pattern of an asset as alerts shorten it.
func wholeAsset(id string) string {
	if hex, ok := strings.CutPrefix(id, "image:sha256:"); ok {
		return "image:sha256:" + wildcard(hex, 64)
	}
	if hex, ok := strings.CutPrefix(id, "host:"); ok && len(hex) == 12 && strings.Trim(hex, "0123456789abcdef") == "" {
		return id + "*"
	}
	return id
}

// owner is whoever asks for an exception.
func owner() string {
	if u := os.Getenv("SUDO_USER"); u != "" {
		return u
	}
	id := strconv.Itoa(os.Getuid())
	if u, err := user.LookupId(id); err == nil && u.Username != "" {
		return u.Username
	}
	return "user " + id
}

// except adds an entry to a file of exceptions, as a whole or not at all.
func except(file string, entry [][2]string) error {
	data, err := os.ReadFile(file)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	if data, err = withException(data, entry); err != nil {
		return fmt.Errorf("%s: %w", file, err)
	}
	if _, err := policy.Read(file, bytes.NewReader(data), time.Now()); err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
		return err
	}
	p, err := create(file)
	if err != nil {
		return err
	}
	if _, err := p.Write(data); err != nil {
		p.discard()
		return fmt.Errorf("writing %s: %w", file, err)
	}
	return p.commit()
}

// withException adds an entry to the list "exceptions" of a document, and leaves the rest of it as it is.
func withException(data []byte, entry [][2]string) ([]byte, error) {
	var doc yaml.Node
	if err := yaml.Unmarshal(data, &doc); err != nil {
		return nil, fmt.Errorf("%w: %w", bulwark.ErrMalformed, err)
	}
	text := func(s string) *yaml.Node {
		n := &yaml.Node{}
		n.SetString(s)
		return n
	}
	if doc.Kind == 0 {
		doc = yaml.Node{Kind: yaml.DocumentNode, Content: []*yaml.Node{{Kind: yaml.MappingNode, Tag: "!!map"}}}
	}
	top := doc.Content[0]
	if top.Kind != yaml.MappingNode {
		return nil, fmt.Errorf("it is no file of bulwark's own exceptions: %w", bulwark.ErrUnsupported)
	}
	at := slices.IndexFunc(top.Content, func(n *yaml.Node) bool { return n.Value == "exceptions" })
	if at < 0 && len(top.Content) > 0 {
		return nil, fmt.Errorf("it is no file of bulwark's own exceptions: %w", bulwark.ErrUnsupported)
	}
	if at < 0 {
		top.Content = append(top.Content, text("exceptions"), &yaml.Node{Kind: yaml.SequenceNode, Tag: "!!seq"})
	}
	list := top.Content[max(at, 0)+1]
	if list.Kind != yaml.SequenceNode {
		*list = yaml.Node{Kind: yaml.SequenceNode, Tag: "!!seq"}
	}
	one := &yaml.Node{Kind: yaml.MappingNode, Tag: "!!map", Style: yaml.FlowStyle}
	for _, pair := range entry {
		one.Content = append(one.Content, text(pair[0]), text(pair[1]))
	}
	if slices.ContainsFunc(list.Content, func(n *yaml.Node) bool { return excepted(n) == excepted(one) }) {
		return data, nil
	}
	list.Content = append(list.Content, one)
	var b bytes.Buffer
	e := yaml.NewEncoder(&b)
	e.SetIndent(2)
	if err := e.Encode(&doc); err != nil {
		return nil, err
	}
	return b.Bytes(), e.Close()
}

// excepted is what an entry says but for why and by whom.
func excepted(entry *yaml.Node) string {
	var says []string
	for i := 0; i+1 < len(entry.Content); i += 2 {
		if key := entry.Content[i].Value; key != "reason" && key != "owner" {
			says = append(says, fmt.Sprintf("%q: %q", key, entry.Content[i+1].Value))
		}
	}
	slices.Sort(says)
	return strings.Join(says, ", ")
}

// hint is the command that suppresses a finding: it names the file that this run reads.
func (w *watching) hint(f *bulwark.Finding) string {
	command := alerts.Suppress(f)
	if command == "" || len(w.exceptions) == 0 {
		return command
	}
	file, err := filepath.Abs(w.exceptions[len(w.exceptions)-1])
	if err != nil {
		return ""
	}
	return command + " --exceptions " + shellWord(file)
}

// shellWord is s as a shell reads it back.
func shellWord(s string) string {
	if strings.Trim(s, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_./") == "" {
		return s
	}
	return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'"
}

// followed is a file of exceptions that is read again when it changes.
type followed struct {
	file string
	now  atomic.Pointer[policy.Set] // nil: there is none yet
	was  time.Time
	size int64
	why  string // why it could not be read last
}

var _ bulwark.Policy = (*followed)(nil)

// Apply heeds what the file said when it was read last.
func (f *followed) Apply(a *bulwark.Asset, x *bulwark.Finding) {
	if s := f.now.Load(); s != nil {
		s.Apply(a, x)
	}
}

// read reads the file where it changed.
func (f *followed) read(now time.Time) (changed bool, err error) {
	st, err := os.Stat(f.file)
	if err != nil || st.ModTime().Equal(f.was) && st.Size() == f.size {
		return false, err
	}
	f.was, f.size = st.ModTime(), st.Size()
	s, err := policy.Load(f.file, now)
	if err != nil {
		return false, err
	}
	f.now.Store(s)
	return true, nil
}

// follow looks each second whether the file changed, until ctx is done.
func (f *followed) follow(ctx context.Context, e *watch.Watcher) {
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		if text := f.again(time.Now()); text != "" {
			e.Note(bulwark.Note{Plugin: "watch", Path: f.file, Text: text})
		}
	}
}

// again reads the file where it changed, and says what is to be told of that.
func (f *followed) again(now time.Time) string {
	changed, err := f.read(now)
	why := ""
	switch {
	case changed:
		f.why = ""
		return fmt.Sprintf("it was read again, and excepts %d", f.now.Load().Len())
	case errors.Is(err, fs.ErrNotExist):
		if f.now.Swap(nil) == nil {
			return ""
		}
		f.was, why = time.Time{}, "it is gone: nothing of it is excepted any more"
	case err != nil:
		why = "it changed and cannot be read; what it said before holds: " + err.Error()
	default:
		return ""
	}
	if why == f.why {
		return ""
	}
	f.why = why
	return why
}

// excepts are the exceptions that were given. Those of a live run are read again when they change.
func (w *watching) excepts(ctx context.Context, e *watch.Watcher) (list []bulwark.Policy, err error) {
	files := w.exceptions
	if len(files) == 0 && w.replay == "" {
		files = []string{usualExceptions}
	}
	for _, file := range files {
		f := &followed{file: file}
		_, err := f.read(time.Now())
		if err != nil && (len(w.exceptions) > 0 || !errors.Is(err, fs.ErrNotExist)) {
			return nil, &exit{code: exitUsage, err: fmt.Errorf("--exceptions: %w", err)}
		}
		if s := f.now.Load(); s != nil {
			for _, n := range s.Notes() {
				w.say("note: %s: %s: %s", n.Plugin, file, n.Text)
			}
		}
		if w.replay == "" {
			go f.follow(ctx, e)
		}
		list = append(list, f)
	}
	return list, nil
}
