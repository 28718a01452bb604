package names

// of setsockopt
var level = set{names: []name{
	{1, "SOL_SOCKET"}, {0, "SOL_IP"}, {6, "SOL_TCP"}, {17, "SOL_UDP"}, {41, "SOL_IPV6"}, {58, "SOL_ICMPV6"}, {255, "SOL_RAW"},
	{263, "SOL_PACKET"}, {270, "SOL_NETLINK"}, {279, "SOL_ALG"}, {282, "SOL_TLS"}, {283, "SOL_XDP"},
}}
