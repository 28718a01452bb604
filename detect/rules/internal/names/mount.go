package names

// of mount
var mount = set{flags: true, names: []name{
	{1, "RDONLY"}, {2, "NOSUID"}, {4, "NODEV"}, {8, "NOEXEC"}, {16, "SYNCHRONOUS"}, {32, "REMOUNT"}, {64, "MANDLOCK"},
	{128, "DIRSYNC"}, {256, "NOSYMFOLLOW"}, {1024, "NOATIME"}, {2048, "NODIRATIME"}, {4096, "BIND"}, {8192, "MOVE"},
	{16384, "REC"}, {32768, "SILENT"}, {1 << 16, "POSIXACL"}, {1 << 17, "UNBINDABLE"}, {1 << 18, "PRIVATE"},
	{1 << 19, "SLAVE"}, {1 << 20, "SHARED"}, {1 << 21, "RELATIME"}, {1 << 22, "KERNMOUNT"}, {1 << 23, "I_VERSION"},
	{1 << 24, "STRICTATIME"}, {1 << 25, "LAZYTIME"}, {1 << 28, "NOSEC"}, {1 << 29, "BORN"}, {1 << 30, "ACTIVE"}, {1 << 31, "NOUSER"},
}}
