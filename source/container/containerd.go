package container

import (
	"bytes"
	"cmp"
	"context"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"iter"
	"net"
	"net/http"
	"net/netip"
	"os"
	"runtime"
	"strings"
	"time"

	"bulwark"
	"bulwark/internal/limit"
)

// maxRecord is how many bytes containerd's answer about one container may have: it has the whole config.json.
const maxRecord = 4 << 20

// containerds are where containerd listens usually.
var containerds = []string{
	"/run/containerd/containerd.sock", "/run/docker/containerd/containerd.sock", "/run/k3s/containerd/containerd.sock", "/run/k0s/containerd.sock", "/var/snap/microk8s/common/run/containerd.sock",
}

// askContainerd asks for what containerd keeps in its database alone: the image, labels, and those of the pod.
func (r *reading) askContainerd(ctx context.Context) {
	if r.c.Engine != "containerd" || r.it.namespace == "" {
		return
	}
	if r.it.address == "" {
		r.shim() // knows whose it is, where that is nowhere usual
	}
	socket := r.it.address
	for _, s := range containerds {
		if socket == "" && exists(r.f.at(s)) {
			socket = s
		}
	}
	if socket == "" {
		r.why = append(r.why, "containerd: it has no socket here")
		return
	}
	d := &daemon{f: r.f, socket: r.f.at(socket), namespace: r.it.namespace}
	own, err := d.container(ctx, r.name())
	if r.it.silent = err != nil; err != nil {
		r.fail("containerd", err)
		return
	}
	r.image(cmp.Or(r.c.Image, own.image))
	r.c.ImageID = cmp.Or(r.c.ImageID, own.imageID)
	r.c.Labels = pairs(own.labels)
	r.c.Name = clip(cmp.Or(own.labels["nerdctl/name"], r.c.Name))
	if r.podLabels(); r.c.Pod != nil && r.c.Pod.Sandbox != "" {
		if sandbox, err := d.container(ctx, r.c.Pod.Sandbox); err == nil {
			p := r.pod()
			p.Labels, p.IP = podsOwn(sandbox.labels), cmp.Or(sandbox.ip, p.IP)
		}
	}
	// The image is found by its id, where that is known: its name may be another's by now.
	if ref := cmp.Or(r.c.ImageID, r.c.Image); r.c.Digest == "" && ref != "" {
		r.c.Digest = d.digest(ctx, ref)
	}
	if r.c.ImageID == "" && r.c.Digest != "" {
		r.c.ImageID = d.imageID(ctx, r.c.Digest)
	}
	if r.c.Image == "" {
		r.it.plain = true // it was made of a folder
	}
}

// podsOwn are labels without those that Kubernetes adds for itself.
func podsOwn(labels map[string]string) map[string]string {
	out := pairs(labels)
	for key := range out {
		if strings.HasPrefix(key, "io.kubernetes.") || strings.HasPrefix(key, "io.cri-containerd.") {
			delete(out, key)
		}
	}
	return labelled(out)
}

// daemon is one containerd, spoken to as gRPC has it: a message in an HTTP/2 request.
type daemon struct {
	f                 *Finder
	socket, namespace string
}

// record is what containerd keeps of a container.
type record struct {
	image  string
	labels map[string]string
	// Of those that Kubernetes made: the id of the image, and the address of a sandbox.
	imageID, ip string
}

func (d *daemon) container(ctx context.Context, id string) (record, error) {
	b, err := d.call(ctx, "/containerd.services.containers.v1.Containers/Get", id)
	if err != nil {
		return record{}, err
	}
	out := record{labels: map[string]string{}}
	for field, value := range fields(first(b, 1)) {
		switch field {
		case 2:
			if len(out.labels) < maxPairs {
				out.labels[clip(string(first(value, 1)))] = clip(string(first(value, 2)))
			}
		case 3:
			out.image = clip(string(value))
		case 10:
			out.extension(string(first(value, 1)), first(first(value, 2), 2))
		}
	}
	return out, nil
}

// extension takes what containerd's part for Kubernetes keeps of a container or sandbox, a document.
func (o *record) extension(name string, doc []byte) {
	if name != "io.cri-containerd.container.metadata" && name != "io.cri-containerd.sandbox.metadata" {
		return
	}
	var it struct {
		Metadata struct{ ImageRef, IP string }
	}
	if json.Unmarshal(doc, &it) != nil {
		return // of a version that is not known
	}
	if id, ok := strings.CutPrefix(it.Metadata.ImageRef, "sha256:"); ok && isID(id) {
		o.imageID = "sha256:" + id
	}
	if ip, err := netip.ParseAddr(it.Metadata.IP); err == nil {
		o.ip = ip.String()
	}
}

func (d *daemon) digest(ctx context.Context, image string) string {
	b, err := d.call(ctx, "/containerd.services.images.v1.Images/Get", image)
	if err != nil {
		return ""
	}
	digest := string(first(first(first(b, 1), 3), 2))
	if !strings.HasPrefix(digest, "sha256:") {
		return ""
	}
	return clip(digest)
}

// imageID is the digest of an image's configuration, by which scans name it: that of a manifest, or of the one for this
// machine in an index.
func (d *daemon) imageID(ctx context.Context, digest string) string {
	for range 2 {
		b, err := d.call(ctx, "/containerd.services.content.v1.Content/Read", digest)
		if err != nil {
			return ""
		}
		var it struct {
			Config    struct{ Digest string }
			Manifests []struct {
				Digest   string
				Platform struct{ OS, Architecture string }
			}
		}
		if json.Unmarshal(first(b, 2), &it) != nil {
			return ""
		}
		if id, ok := strings.CutPrefix(it.Config.Digest, "sha256:"); ok && isID(id) {
			return "sha256:" + id
		}
		digest = ""
		for _, m := range it.Manifests {
			if m.Platform.OS != "linux" || m.Platform.Architecture != runtime.GOARCH {
				continue
			}
			if digest != "" {
				return "" // there are variants of this architecture
			}
			digest = m.Digest
		}
		if digest == "" {
			return ""
		}
	}
	return ""
}

// call sends a message whose first field is a text, and gives the answer's.
func (d *daemon) call(ctx context.Context, method, text string) ([]byte, error) {
	if err := d.f.tired(d.socket); err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(ctx, d.f.o.Slow)
	defer cancel()
	b, err := d.do(ctx, method, text)
	if errors.Is(err, bulwark.ErrUnavailable) {
		d.f.tire(d.socket, err)
	}
	return b, err
}

func (d *daemon) do(ctx context.Context, method, text string) ([]byte, error) {
	body := binary.AppendUvarint([]byte{0, 0, 0, 0, 0, 1<<3 | 2}, uint64(len(text)))
	body = append(body, text...)
	binary.BigEndian.PutUint32(body[1:], uint32(len(body)-5))
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://containerd"+method, bytes.NewReader(body))
	if err != nil {
		return nil, fmt.Errorf("%w: %w", bulwark.ErrMalformed, err)
	}
	req.Header.Set("Content-Type", "application/grpc")
	req.Header.Set("TE", "trailers")
	req.Header.Set("Containerd-Namespace", d.namespace)
	tr := &http.Transport{DisableKeepAlives: true, Protocols: new(http.Protocols), DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
		return (&net.Dialer{Timeout: d.f.o.Slow}).DialContext(ctx, "unix", d.socket)
	}}
	tr.Protocols.SetUnencryptedHTTP2(true)
	defer tr.CloseIdleConnections()
	resp, err := tr.RoundTrip(req)
	if err != nil {
		return nil, unavailable(ctx, err)
	}
	defer resp.Body.Close()
	b, err := limit.ReadAll(resp.Body, maxRecord, "its answer")
	if errors.Is(err, bulwark.ErrLimit) {
		return nil, err
	}
	if err != nil {
		return nil, unavailable(ctx, err)
	}
	switch status := cmp.Or(resp.Trailer.Get("Grpc-Status"), resp.Header.Get("Grpc-Status")); {
	case status == "5":
		return nil, fmt.Errorf("it does not know it: %w", bulwark.ErrNotFound)
	case status != "0" || resp.StatusCode != http.StatusOK:
		return nil, fmt.Errorf("it answers %d with status %.20q: %w", resp.StatusCode, status, bulwark.ErrUnavailable)
	case len(b) < 5 || b[0] != 0 || int(binary.BigEndian.Uint32(b[1:])) != len(b)-5:
		return nil, fmt.Errorf("its answer: %w", bulwark.ErrMalformed)
	}
	return b[5:], nil
}

func unavailable(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return fmt.Errorf("it does not answer in time: %w", bulwark.ErrUnavailable)
	}
	if errors.Is(err, os.ErrPermission) {
		return fmt.Errorf("this user may not open its socket: %w", bulwark.ErrUnavailable)
	}
	return fmt.Errorf("%w: %w", bulwark.ErrUnavailable, err)
}

// fields are those of a message that are bytes, in their order, as far as it is one.
func fields(b []byte) iter.Seq2[uint64, []byte] {
	return func(yield func(uint64, []byte) bool) {
		for len(b) > 0 {
			key, n := binary.Uvarint(b)
			if n <= 0 {
				return
			}
			b = b[n:]
			var size uint64
			switch key & 7 {
			case 0:
				if _, n = binary.Uvarint(b); n <= 0 {
					return
				}
				size = uint64(n)
			case 1:
				size = 8
			case 5:
				size = 4
			case 2:
				if size, n = binary.Uvarint(b); n <= 0 {
					return
				}
				b = b[n:]
			default:
				return
			}
			if size > uint64(len(b)) {
				return
			}
			if key&7 == 2 && !yield(key>>3, b[:size]) {
				return
			}
			b = b[size:]
		}
	}
}

// first is the first field of that number; nil: the message has none.
func first(b []byte, number uint64) []byte {
	for n, value := range fields(b) {
		if n == number {
			return value
		}
	}
	return nil
}

// tired is why an engine is left alone for now; nil: it is not.
func (f *Finder) tired(host string) error {
	f.engines.mu.Lock()
	defer f.engines.mu.Unlock()
	if t, ok := f.engines.tired[host]; ok && time.Now().Before(t.until) {
		return t.why
	}
	return nil
}

// tire has an engine left alone for a while.
func (f *Finder) tire(host string, why error) {
	f.engines.mu.Lock()
	defer f.engines.mu.Unlock()
	f.engines.tired[host] = tired{time.Now().Add(f.rest), why}
}
