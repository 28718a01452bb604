package cli

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/spf13/pflag"

	"bulwark"
	"bulwark/detect/rules"
	"bulwark/enforce/action"
	"bulwark/enforce/response"
	"bulwark/internal/limit"
	"bulwark/source/container"
	"bulwark/source/kernel/guard"
	"bulwark/watch"
)

// enforcing is what is done beside telling.
type enforcing struct {
	files []string
	on    bool
}

func (e *enforcing) flags(f *pflag.FlagSet) {
	f.StringArrayVar(&e.files, "actions", nil, "`FILE` that says what is frozen, killed or denied when rules tell (repeatable; the first entry that fits decides; see docs/blocking.md)")
	f.BoolVar(&e.on, "enforce", false, "take the actions that --actions and the rules themselves ask for; without it they are only told of")
}

// settle refuses what makes no sense.
func (e *enforcing) settle(w *watching) error {
	switch {
	case e.on && w.replay != "":
		return usage("--enforce does something now, and --replay tells what was: give one of them")
	case e.on && !slices.Contains(w.sources, bulwark.SourceSyscall):
		return usage("--enforce needs what the kernel tells: --source syscall")
	}
	return nil
}

// blocking is what stops things while the run lasts.
type blocking struct {
	w       *watching
	guard   *guard.Guard
	set     atomic.Pointer[action.Set] // nil: nothing is enforced
	options action.Options             // without the entries of files
	keeper  *action.Keeper
	decided chan bulwark.Decision
	missed  int
	said    uint64 // of what was missed
	mu      sync.Mutex
	entries int
}

// mostDecided is how many decisions may wait to be told.
const mostDecided = 4096

// enforce makes ready what was asked for, or refuses it as a whole.
func (w *watching) enforce(e *watch.Watcher, finder *container.Finder) (*blocking, error) {
	b := &blocking{w: w, decided: make(chan bulwark.Decision, mostDecided)}
	entries, err := w.written()
	if err != nil {
		return nil, err
	}
	b.options.Entries, b.options.Asked = wanted(e)
	if b.entries = len(entries) + len(b.options.Entries); !w.actions.on {
		return b, nil
	}
	if b.entries == 0 {
		return nil, &exit{code: exitUsage, err: errors.New("--enforce: nothing is asked for"), hint: "name a file by --actions, or give rules the key action; docs/blocking.md shows both"}
	}
	b.guard = guard.New(b.tell)
	var hands response.Responder
	o := &b.options
	o.Abilities, o.Hands, o.Containers = append(b.guard.Abilities(), hands.Abilities()...), handsOf(&hands), finder.Containers
	for _, d := range e.Detectors {
		if r, ok := d.(bulwark.Ruler); ok {
			o.Rules = append(o.Rules, r.Rules()...)
		}
	}
	set, problems := action.New(b.with(entries))
	if len(problems) > 0 {
		return nil, errors.Join(refuse(problems), b.guard.Close())
	}
	b.set.Store(set)
	b.keeper = &action.Keeper{Set: set, Guard: b.guard, Containers: finder.Containers,
		Note: func(text string) { e.Note(bulwark.Note{Plugin: "watch/actions", Text: text, Incomplete: true}) }}
	if err := b.keeper.Start(); err != nil {
		return nil, &exit{code: exitUsage, err: errors.Join(fmt.Errorf("--enforce: %w", err), b.guard.Close())}
	}
	for _, d := range e.Detectors {
		if each, ok := d.(interface{ EachTime(func(string) bool) }); ok {
			each.EachTime(set.Acts)
		}
	}
	e.Respond = func(f *bulwark.Finding, p *bulwark.Process) func() bulwark.Response {
		return b.set.Load().Respond(f, p)
	}
	return b, nil
}

// with are the options with entries of files before those of rules.
func (b *blocking) with(entries []action.Entry) action.Options {
	o := b.options
	o.Entries = append(slices.Clip(entries), slices.Clone(o.Entries)...)
	return o
}

// reload takes the files as they are now, or leaves all as it was.
func (b *blocking) reload(e *watch.Watcher) {
	note := func(text string) { e.Note(bulwark.Note{Plugin: "watch/actions", Text: text}) }
	entries, err := b.w.written()
	if err != nil {
		note("not read again, and as before: " + err.Error())
		return
	}
	set, problems := action.New(b.with(entries))
	if len(problems) > 0 {
		note("not read again, and as before: " + refuse(problems).Error())
		return
	}
	b.set.Store(set)
	b.keeper.Replace(set)
	note("read again: " + set.Summary())
}

// written are the entries of files.
func (w *watching) written() (entries []action.Entry, err error) {
	var problems []action.Problem
	for _, name := range w.actions.files {
		f, err := os.Open(name)
		if err != nil {
			return nil, &exit{code: exitUsage, err: fmt.Errorf("--actions: %w", err)}
		}
		data, err := limit.ReadAll(f, maxConfig, name)
		f.Close()
		if err != nil {
			return nil, &exit{code: exitUsage, err: fmt.Errorf("--actions: %w", err)}
		}
		list, bad := action.Parse(name, data)
		entries, problems = append(entries, list...), append(problems, bad...)
	}
	if len(problems) > 0 {
		return nil, refuse(problems)
	}
	return entries, nil
}

// wanted is what rules ask for themselves, and what each could be denied by.
func wanted(e *watch.Watcher) (entries []action.Entry, asked map[string]action.Asked) {
	asked = map[string]action.Asked{}
	for _, d := range e.Detectors {
		asks, ok := d.(interface{ Asks() []rules.Ask })
		if !ok {
			continue
		}
		for _, a := range asks.Asks() {
			asked[a.Rule] = action.Asked{Block: a.Block, Holds: a.Holds, Why: a.Why}
			if a.Action != "" {
				entries = append(entries, action.Entry{Place: a.Place, Rules: []string{a.Rule}, Action: action.Action(a.Action)})
			}
		}
	}
	return entries, asked
}

func refuse(list []action.Problem) error {
	var lines []string
	for i := range list[:min(len(list), mostTroubles)] {
		lines = append(lines, list[i].String())
	}
	if n := len(list) - len(lines); n > 0 {
		lines = append(lines, fmt.Sprintf("and %d more", n))
	}
	return &exit{code: exitUsage, err: errors.New("actions cannot be taken:\n" + strings.Join(lines, "\n")), hint: "docs/blocking.md says what can be done about which rules"}
}

// handsOf are what the responder does, by the names of those it does it to.
func handsOf(r *response.Responder) action.Hands {
	return action.Hands{
		Freeze: r.Freeze,
		FreezeTree: func(ctx context.Context, pid int, start int64) ([]string, error) {
			return victims(r.StopTree(ctx, pid, start))
		},
		KillContainer: func(ctx context.Context, cgroup string) ([]string, error) {
			return victims(r.KillContainer(ctx, cgroup))
		},
		KillTree: func(ctx context.Context, cgroup string, pid int, start int64) ([]string, error) {
			if cgroup == "" {
				return victims(r.KillTree(ctx, pid, start))
			}
			return victims(r.KillWithin(ctx, cgroup, pid, start))
		},
	}
}

func victims(list []response.Victim, err error) (names []string, _ error) {
	for _, v := range list {
		names = append(names, fmt.Sprintf("%s (%d)", v.Name, v.PID))
	}
	return names, err
}

// tell takes a decision of the guard; it never waits.
func (b *blocking) tell(d bulwark.Decision) {
	select {
	case b.decided <- d:
	default:
		b.mu.Lock()
		b.missed++
		b.mu.Unlock()
	}
}

// run tells decisions, and holds containers to what is denied to them, until ctx is done.
func (b *blocking) run(ctx context.Context, e *watch.Watcher) {
	if b.keeper == nil {
		return
	}
	var all sync.WaitGroup
	defer all.Wait()
	all.Go(func() { b.keeper.Run(ctx) })
	again := make(chan os.Signal, 1)
	signal.Notify(again, syscall.SIGHUP)
	defer signal.Stop(again)
	second := time.NewTicker(time.Second)
	defer second.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-again:
			b.reload(e)
		case d := <-b.decided:
			e.Report(b.set.Load().Finding(d), watch.Culprit{PID: d.PID, Start: d.Start, Name: d.Name, Cgroup: d.Cgroup})
		case <-second.C:
			b.untold(e)
		}
	}
}

// untold tells how much was stopped for which there was no room.
func (b *blocking) untold(e *watch.Watcher) {
	b.mu.Lock()
	missed := uint64(b.missed)
	b.mu.Unlock()
	for _, n := range b.guard.Counts() {
		missed += n.Dropped
	}
	if missed > b.said {
		e.Note(bulwark.Note{Plugin: "watch/actions", Text: fmt.Sprintf("%d more things were stopped, and are not told one by one", missed-b.said), Incomplete: true})
		b.said = missed
	}
}

// Close lets everything pass again.
func (b *blocking) Close() error {
	if b.guard == nil {
		return nil
	}
	return b.guard.Close()
}

// roused is a finder that wakes who holds containers to something, when one begins.
type roused struct {
	*container.Finder
	keeper *action.Keeper
}

func (r roused) Made(cgroup uint64, path string, by *bulwark.Process) {
	r.Finder.Made(cgroup, path, by)
	r.keeper.Wake()
}

func (r roused) Walk(ctx context.Context) error {
	defer r.keeper.Wake()
	return r.Finder.Walk(ctx)
}

// containers are those that the engine is told of.
func (b *blocking) containers(f *container.Finder) watch.Containers {
	if b.keeper == nil {
		return f
	}
	return roused{f, b.keeper}
}

// abilities says what can be stopped here, and whether it is.
func (b *blocking) abilities() {
	if b.entries == 0 && !slices.Contains(b.w.sources, bulwark.SourceSyscall) {
		return // an audit log alone is looked at, perhaps elsewhere
	}
	g := b.guard
	if g == nil {
		g = guard.New(nil)
		defer g.Close()
	}
	var hands response.Responder
	var can, cannot, whole []string
	all := append(g.Abilities(), hands.Abilities()...)
	for _, a := range all {
		if a.Why == "" && !slices.Contains(whole, a.Name) {
			whole = append(whole, a.Name)
		}
	}
	for _, a := range all {
		name := a.Name
		if a.By != "" {
			name += " by " + a.By
		}
		switch {
		case a.Why == "":
			can = append(can, name)
		case b.w.verbose || !slices.Contains(whole, a.Name): // else there is another way
			cannot = append(cannot, name+" ("+a.Why+")")
		}
	}
	if !b.w.verbose {
		can = whole
	}
	b.w.say("can stop here: %s", orNothing(can))
	if len(cannot) > 0 {
		b.w.say("cannot stop here: %s", strings.Join(cannot, "; "))
	}
	switch {
	case b.set.Load() != nil:
		b.w.say("enforcing: %s", b.set.Load().Summary())
	case b.entries > 0:
		b.w.say("note: %d actions are asked for, and none is taken without --enforce", b.entries)
	}
}

func orNothing(list []string) string {
	if len(list) == 0 {
		return "nothing"
	}
	return strings.Join(list, "; ")
}
