package runtime

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"bulwark"
	"bulwark/test/runtime/lab"
	"bulwark/watch/trace"
)

const (
	quickRunc   = 160
	quickDocker = 40
)

// TestFirstPrograms: the first program of each of 200 containers that are started as quickly as can be, four at a time, and
// end at once, is seen with its container; where an engine knows an image, with that.
func TestFirstPrograms(t *testing.T) {
	if testing.Short() {
		t.Skip("it starts 200 containers")
	}
	d, r := lab.StartDocker(t), lab.NewRunc(t)
	quick := r.Quick(t)
	file := filepath.Join(t.TempDir(), "trace")
	w := lab.StartWatch(t, lab.Program(t), "--record", file)
	token := fmt.Sprintf("first-%d-", os.Getpid())
	want := map[string]string{} // token to the container's id
	var mu sync.Mutex
	start := time.Now()
	parallel(4, quickRunc+quickDocker, func(i int) {
		word := fmt.Sprint(token, i)
		command := []string{"/usr/local/bin/lab", "sleep", "0s", word}
		id := fmt.Sprintf("lab-%s", word)
		if i%(quickRunc/quickDocker+1) == 0 {
			c := d.Create(t, lab.Options{}, command...)
			id = c.ID
			d.Start(t, c)
		} else if err := quick(id, command...); err != nil {
			t.Error(err)
		}
		mu.Lock()
		defer mu.Unlock()
		want[word] = id
	})
	t.Logf("%d containers in %v", len(want), time.Since(start).Round(time.Millisecond))
	time.Sleep(300 * time.Millisecond) // what waits for its container waits no longer
	w.Stop()
	for _, e := range firsts(t, file, token) {
		id := want[e.word]
		delete(want, e.word)
		switch {
		case e.container == nil:
			t.Errorf("%s: no container", e.word)
		case e.container.ID != id:
			t.Errorf("%s: it is %q instead of %q", e.word, e.container.ID, id)
		case e.container.Engine == "docker" && e.container.Image != lab.Image:
			t.Errorf("%s: image %q: %s", e.word, e.container.Image, e.container.Missing)
		}
	}
	if len(want) != 0 {
		t.Errorf("%d were not seen at all: %v\n%s", len(want), want, w.Said())
	}
}

// parallel calls f with 0 to n-1, some at a time.
func parallel(workers, n int, f func(int)) {
	var wg sync.WaitGroup
	for i := range workers {
		wg.Go(func() {
			for j := i; j < n; j += workers {
				f(j)
			}
		})
	}
	wg.Wait()
}

type first struct {
	word      string
	container *bulwark.Container
}

// firsts are the executions in a recording whose arguments end with a word that begins with the token.
func firsts(t *testing.T, file, token string) []first {
	t.Helper()
	f, err := os.Open(file)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	items, err := trace.NewReader(f)
	if err != nil {
		t.Fatal(err)
	}
	defer items.Close()
	var list []first
	for {
		item, err := items.Next()
		if errors.Is(err, io.EOF) {
			return list
		}
		if err != nil {
			t.Fatal(err)
		}
		e := item.Event
		if e == nil || e.Kind != bulwark.KindExec || e.Process == nil || e.Result < 0 {
			continue
		}
		if args := e.Process.Args; slices.Contains(args, "sleep") && strings.HasPrefix(args[len(args)-1], token) {
			list = append(list, first{args[len(args)-1], e.Process.Container})
		}
	}
}
