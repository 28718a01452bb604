package names

// of socket, with and without the flags that stand beside the type
var sock = set{names: socks()}

func socks() (list []name) {
	types := []name{{1, "SOCK_STREAM"}, {2, "SOCK_DGRAM"}, {3, "SOCK_RAW"}, {4, "SOCK_RDM"}, {5, "SOCK_SEQPACKET"}, {6, "SOCK_DCCP"}, {10, "SOCK_PACKET"}}
	flags := []name{{0, ""}, {0o2000000, "|SOCK_CLOEXEC"}, {0o4000, "|SOCK_NONBLOCK"}, {0o2004000, "|SOCK_CLOEXEC|SOCK_NONBLOCK"}}
	for _, t := range types {
		for _, f := range flags {
			list = append(list, name{t.value | f.value, t.text + f.text})
		}
	}
	return list
}
