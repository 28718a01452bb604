package family

// Numbers of the kernel's interface that several families ask for.
const (
	openWriteOnly = 1
	openReadWrite = 2

	OpenCreate   = 0o100
	OpenTruncate = 0o1000

	CloneThread    = 0x00010000
	CloneNewUser   = 0x10000000
	CloneNewMount  = 0x00020000
	CloneNewCgroup = 0x02000000
	CloneNewPID    = 0x20000000

	ModeSetUID = 0o4000
	ModeType   = 0o170000
	ModeBlock  = 0o060000

	MagicProc       = 0x9fa0
	MagicSys        = 0x62656572
	MagicCgroup     = 0x27e0eb
	MagicCgroup2    = 0x63677270
	MagicTmpfs      = 0x01021994
	MagicBinfmt     = 0x42494e4d
	MagicPty        = 0x1cd1
	MagicNamespaces = 0x6e736673
	MagicOverlay    = 0x794c7630

	CapSetUID = 1 << 7
)

// Opens are the kinds that open files.
const Opens = "open openat openat2 creat"

// Execs are the kinds that begin a program.
const Execs = "execve execveat"

// Clones are the kinds that make processes and threads.
const Clones = "clone clone3 fork vfork"
