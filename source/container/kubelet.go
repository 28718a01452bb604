package container

import (
	"cmp"
	"context"
	"errors"
	"io/fs"
	"os"
	"strings"
	"sync"
	"time"

	"bulwark"
)

// pods is what kubelet tells, kept for a little.
type pods struct {
	mu    sync.Mutex
	asked time.Time
	err   error // of the last question
	byUID map[string]*bulwark.PodRef
}

const freshPods = 2 * time.Second

// kubelet completes a pod: its name by the folder of its logs; its labels where kubelet is asked.
func (f *Finder) kubelet(r *reading) {
	if r.c.Pod == nil || r.c.Pod.UID == "" {
		return
	}
	if r.c.Pod.Name == "" {
		f.podLogs(r)
	}
}

// podLogs finds the folder namespace_name_uid.
func (f *Finder) podLogs(r *reading) {
	d, err := os.Open(f.at("/var/log/pods"))
	if err != nil {
		return
	}
	defer d.Close()
	list, err := d.ReadDir(maxFolders)
	if errors.Is(err, fs.ErrNotExist) {
		return
	}
	for _, e := range list {
		parts := strings.Split(e.Name(), "_")
		if len(parts) == 3 && parts[2] == r.c.Pod.UID && e.IsDir() {
			p := r.pod()
			p.Namespace, p.Name = parts[0], parts[1]
			return
		}
	}
}

// askKubelet asks for all pods of the node, which the API tells at once alone.
func (r *reading) askKubelet(ctx context.Context) {
	if r.f.o.Kubelet == "" || r.c.Pod == nil || r.c.Pod.UID == "" {
		return
	}
	told, err := r.f.pod(ctx, r.c.Pod.UID)
	if told == nil {
		if err != nil {
			r.fail("kubelet", err)
		}
		return
	}
	p := r.pod()
	p.Name, p.Namespace, p.Labels, p.IP = told.Name, told.Namespace, told.Labels, cmp.Or(told.IP, p.IP)
}

func (f *Finder) pod(ctx context.Context, uid string) (*bulwark.PodRef, error) {
	f.pods.mu.Lock()
	defer f.pods.mu.Unlock()
	p := f.pods.byUID[uid]
	if p != nil && p.IP != "" { // before its first container began it had no address
		return p, nil
	}
	if time.Since(f.pods.asked) < freshPods {
		return p, f.pods.err
	}
	f.pods.asked = time.Now()
	var answer struct {
		Items []struct {
			Metadata struct {
				Name, Namespace, UID string
				Labels               map[string]string
			}
			Status struct{ PodIP string }
		}
	}
	if f.pods.err = f.get(ctx, f.o.Kubelet, "/pods", &answer); f.pods.err != nil {
		return p, f.pods.err
	}
	f.pods.byUID = map[string]*bulwark.PodRef{}
	for _, i := range answer.Items[:min(len(answer.Items), maxFolders)] {
		m := i.Metadata
		f.pods.byUID[m.UID] = &bulwark.PodRef{UID: clip(m.UID), Name: clip(m.Name), Namespace: clip(m.Namespace), IP: clip(i.Status.PodIP), Labels: labelled(m.Labels)}
	}
	return f.pods.byUID[uid], nil
}

// labelled is never nil: a pod that has no labels was told of.
func labelled(m map[string]string) map[string]string {
	if m = pairs(m); m == nil {
		return map[string]string{}
	}
	return m
}
