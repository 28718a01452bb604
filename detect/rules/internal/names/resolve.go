package names

// of openat2
var resolve = set{flags: true, names: []name{
	{8, "RESOLVE_BENEATH"}, {16, "RESOLVE_IN_ROOT"}, {2, "RESOLVE_NO_MAGICLINKS"}, {4, "RESOLVE_NO_SYMLINKS"},
	{1, "RESOLVE_NO_XDEV"}, {32, "RESOLVE_CACHED"},
}}
