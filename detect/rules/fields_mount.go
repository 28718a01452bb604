package rules

import (
	"bulwark"
)

// mountFields are those of what a container has mounted.
func mountFields() []Field {
	of := bulwark.SourceSyscall
	const by = "; the mount is chosen by its number or a glob of its "
	source := func(m *bulwark.Mount) string { return m.Source }
	dest := func(m *bulwark.Mount) string { return m.Dest }
	return []Field{
		{Name: "container.mounts", Type: Text, Source: of, Doc: "all mounts: source:dest:mode:writable:propagation, with commas between", bind: joinedField(func(v *event, b []byte) ([]byte, bool) {
			if !contained(v) {
				return b, false
			}
			for i := range v.p.Container.Mounts {
				if i > 0 {
					b = append(b, ',')
				}
				b = appendMount(b, &v.p.Container.Mounts[i])
			}
			return b, true
		})},
		{Name: "container.mount", Type: Text, Arg: NeedKey, Source: of, Doc: "a mount, as container.mounts has it, or none" + by + "source", bind: wholeMount},
		{Name: "container.mount.source", Type: Text, Arg: NeedKey, Source: of, Doc: "where it comes from" + by + "destination", bind: mount(dest, source)},
		{Name: "container.mount.dest", Type: Text, Arg: NeedKey, Source: of, Doc: "where it is in the container" + by + "source", bind: mount(source, dest)},
		{Name: "container.mount.mode", Type: Text, Arg: NeedKey, Source: of, Doc: "its mode" + by + "source", bind: mount(source, func(m *bulwark.Mount) string { return m.Mode })},
		{Name: "container.mount.rdwr", Type: Text, Arg: NeedKey, Source: of, Doc: "true where it may be written, else false" + by + "source", bind: mount(source, func(m *bulwark.Mount) string { return truth(m.Write) })},
		{Name: "container.mount.propagation", Type: Text, Arg: NeedKey, Source: of, Doc: "its propagation" + by + "source", bind: mount(source, func(m *bulwark.Mount) string { return m.Propagation })},
	}
}

func truth(b bool) string {
	if b {
		return "true"
	}
	return "false"
}

func appendMount(b []byte, m *bulwark.Mount) []byte {
	for i, s := range [...]string{m.Source, m.Dest, m.Mode, truth(m.Write), m.Propagation} {
		if i > 0 {
			b = append(b, ':')
		}
		b = append(b, s...)
	}
	return b
}

// chosen is the mount with that number, or the first whose key the glob fits.
func chosen(v *event, arg string, key func(*bulwark.Mount) string) *bulwark.Mount {
	if !contained(v) {
		return nil
	}
	list := v.p.Container.Mounts
	if n, ok := digits(arg); ok {
		if n >= len(list) {
			return nil
		}
		return &list[n]
	}
	for i := range list {
		if globMatch(arg, key(&list[i]), false) {
			return &list[i]
		}
	}
	return nil
}

func mount(key, what func(*bulwark.Mount) string) func(string) (getter, error) {
	return func(arg string) (getter, error) {
		return getter{cost: medium, text: func(v *event) (string, bool) {
			m := chosen(v, arg, key)
			if m == nil {
				return "", false
			}
			return what(m), true
		}}, nil
	}
}

func wholeMount(arg string) (getter, error) {
	var k kept
	return getter{cost: medium, text: func(v *event) (string, bool) {
		if !contained(v) {
			return "", false
		}
		if !k.fresh(v, v.p) {
			if m := chosen(v, arg, func(m *bulwark.Mount) string { return m.Source }); m != nil {
				k.buf = appendMount(k.buf, m)
			} else {
				k.buf = append(k.buf, "none"...)
			}
		}
		return str(k.buf), true
	}}, nil
}
