package names

// of open, openat, openat2, pipe2, dup3
var open = set{flags: true, low: 3, zero: "O_RDONLY", names: []name{
	{0o20200000, "O_TMPFILE"},
	{0o100000, "O_LARGEFILE"}, {0o200000, "O_DIRECTORY"}, {0o40000, "O_DIRECT"}, {0o1000, "O_TRUNC"}, {0o4010000, "O_SYNC"},
	{0o4000, "O_NONBLOCK"}, {0o200, "O_EXCL"}, {0o10000, "O_DSYNC"}, {0o2000, "O_APPEND"}, {0o100, "O_CREAT"},
	{2, "O_RDWR"}, {1, "O_WRONLY"}, {0o2000000, "O_CLOEXEC"}, {0o400000, "O_NOFOLLOW"}, {0o1000000, "O_NOATIME"},
	{0o10000000, "O_PATH"}, {0o400, "O_NOCTTY"},
}}
