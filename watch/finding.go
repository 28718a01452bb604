package watch

import (
	"slices"
	"strings"
	"time"

	"bulwark"
	"bulwark/internal/telling"
)

// complete adds to a finding what the engine knows: whose it is, when, where.
func (c *core) complete(f *bulwark.Finding, e *bulwark.Event, d *detector) bulwark.Asset {
	if f.Kind == "" {
		f.Kind = bulwark.KindRuntime
	}
	if f.Rule == "" {
		f.Rule = strings.TrimPrefix(d.name, "detect/") + "/unnamed"
	}
	if f.Time.IsZero() {
		f.Time = time.Unix(0, c.clock.last).UTC()
		if e != nil {
			f.Time = time.Unix(0, e.Time).UTC()
		}
	}
	asset := c.Host
	path := ""
	if e != nil && e.Process != nil {
		if f.Process == nil {
			ref := c.processRef(e.Process, true)
			f.Process = &ref
		}
		path = e.Process.Path
		if k := e.Process.Container; k != nil {
			asset = c.assetOf(k)
			if f.Container == nil {
				f.Container = containerRef(k)
			}
		}
	}
	if e != nil && e.Process == nil && len(e.Doc) > 0 {
		if e.Kind == bulwark.KindK8sAudit {
			asset = c.ofRequest(f, e.Doc)
		}
		documented(f, e)
	}
	if f.Asset == "" {
		f.Asset = asset.ID
	} else {
		asset = bulwark.Asset{ID: f.Asset, Kind: strings.SplitN(string(f.Asset), ":", 2)[0], Name: string(f.Asset)}
	}
	if f.Subject == "" {
		f.Subject = path
	}
	if f.Key == "" {
		f.Key = bulwark.Key(f.Kind, f.Rule, f.Subject, path)
	}
	if f.Evidence == nil {
		f.Evidence = []string{}
	}
	return asset
}

// ofRequest is what a finding about a request to an API server is about: the object, or the cluster where a detector says whom
// it is about.
func (c *core) ofRequest(f *bulwark.Finding, doc []byte) bulwark.Asset {
	if v, ok := readAudited(doc); ok && f.Subject == "" {
		return c.objectOf(&v)
	}
	return c.cluster()
}

// assetOf is the image that a container was made of, as scans name it; one whose image is not known is the node's.
func (c *core) assetOf(k *bulwark.Container) bulwark.Asset {
	id := k.ImageID
	if id == "" {
		id = k.Digest
	}
	if id == "" {
		return c.Host
	}
	if !strings.Contains(id, ":") {
		id = "sha256:" + id
	}
	a := bulwark.Asset{ID: bulwark.AssetID("image:" + id), Kind: "image", Name: k.Image}
	if a.Name == "" {
		a.Name = id
	}
	if k.Digest != "" {
		a.Labels = map[string]string{"digest": k.Digest}
	}
	return a
}

func containerRef(k *bulwark.Container) *bulwark.ContainerRef {
	r := &bulwark.ContainerRef{ID: k.ID, Name: k.Name, Image: k.Image, Digest: k.Digest, Engine: k.Engine, Missing: k.Missing}
	if k.Pod != nil {
		r.Pod, r.Namespace = k.Pod.Name, k.Pod.Namespace
	}
	return r
}

const (
	mostParents = 8
	mostArgs    = 64 // of the process; of parents a fourth
	mostArg     = 1024
)

func (c *core) processRef(p *bulwark.Process, first bool) bulwark.ProcessRef {
	r := bulwark.ProcessRef{PID: p.PID, Name: p.Name, Path: p.Path, CWD: p.CWD, UID: p.UID, User: c.user(p), TTY: p.TTY != 0, Args: args(p, first)}
	if p.Exec != 0 {
		r.Start = time.Unix(0, p.Exec).UTC()
	}
	if !first {
		r.CWD = ""
		return r
	}
	for up := p.Parent; up != nil && len(r.Parents) < mostParents; up = up.Parent {
		r.Parents = append(r.Parents, c.processRef(up, false))
	}
	return r
}

// args are those of a process, with what looks like a secret masked.
func args(p *bulwark.Process, first bool) []string {
	most, long := mostArgs, mostArg
	if !first {
		most, long = most/4, long/4
	}
	if p.Exe == "" && len(p.Args) == 0 {
		return nil
	}
	list := make([]string, 0, min(len(p.Args)+1, most))
	list = append(list, cut(p.Exe, long))
	next := false // the one before names a secret
	for _, a := range p.Args {
		if len(list) == most {
			break
		}
		a = cut(a, long)
		switch {
		case next:
			list = append(list, masked)
		case secretFlag(a):
			list = append(list, a)
		default:
			list = append(list, telling.Mask(a))
		}
		next = !next && secretFlag(a)
	}
	return list
}

const masked = "***"

func cut(s string, most int) string {
	if len(s) > most {
		return s[:most] + "..."
	}
	return s
}

var secretWords = []string{"password", "passwd", "secret", "token", "apikey", "api-key", "api_key", "access-key", "access_key", "private-key", "credential"}

// secretFlag tells whether an argument says that the next one is a secret.
func secretFlag(a string) bool {
	if len(a) >= 64 || !strings.HasPrefix(a, "-") || strings.Contains(a, "=") {
		return false
	}
	a = strings.ToLower(a)
	return slices.ContainsFunc(secretWords, func(w string) bool { return strings.Contains(a, w) })
}
