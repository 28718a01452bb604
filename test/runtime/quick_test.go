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
// end at once, is seen with its container; where an engine knows an image, with that. Where others overran the sensor
// meanwhile, which it says, it is tried again.
func TestFirstPrograms(t *testing.T) {
	if testing.Short() {
		t.Skip("it starts 200 containers")
	}
	d, r := lab.StartDocker(t), lab.NewRunc(t)
	quick, program := r.Quick(t), lab.Program(t)
	for try := range 3 {
		file := filepath.Join(t.TempDir(), "trace")
		w := lab.StartWatch(t, program, "--record", file)
		token := fmt.Sprintf("first-%d-%d-", os.Getpid(), try)
		want := startMany(t, d, quick, token)
		time.Sleep(300 * time.Millisecond) // what waits for its container waits no longer
		w.Stop()
		if strings.Contains(w.Said(), "were dropped") {
			t.Logf("somebody else made more events than there is room for:\n%s", w.Said())
			continue
		}
		seen(t, want, firsts(t, file, token))
		return
	}
	t.Skip("the machine is too busy with others")
}

// startMany starts all, and gives the id of each by its word.
func startMany(t *testing.T, d *lab.Docker, quick func(string, ...string) error, token string) map[string]string {
	want := map[string]string{}
	var mu sync.Mutex
	start := time.Now()
	parallel(4, quickRunc+quickDocker, func(i int) {
		word := fmt.Sprint(token, i)
		command := []string{"/usr/local/bin/lab", "sleep", "0s", word}
		id := "lab-" + word
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
	return want
}

// seen compares what was seen with what was started.
func seen(t *testing.T, want map[string]string, list []first) {
	t.Helper()
	images := 0
	for _, e := range list {
		id := want[e.word]
		delete(want, e.word)
		switch {
		case e.container == nil:
			t.Errorf("%s: no container", e.word)
		case e.container.ID != id:
			t.Errorf("%s: it is %+v instead of %q", e.word, *e.container, id)
		case e.container.Image == lab.Image:
			images++
		case e.container.Missing == "":
			t.Errorf("%s: no image, and no reason", e.word)
		}
	}
	if len(want) != 0 {
		t.Errorf("%d were not seen at all: %v", len(want), want)
	}
	if t.Logf("%d with their image", images); images < quickDocker*9/10 {
		t.Errorf("of %d containers of Docker only %d are known with their image", quickDocker, images)
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
