package bulwark

// Process is one of a node, or one that was. It belongs to the engine, which changes it between events: a
// detector that keeps one keeps what it needs of it.
type Process struct {
	PID   int      // in the node's own pid namespace
	Start int64    // nanoseconds since the node started: PID and Start together never come again
	PPID  int      // 0: none
	VPID  int      // in the innermost pid namespace, as VPGID and VSID are
	PGID  int      // its process group
	SID   int      // its session
	VPGID int      //
	VSID  int      //
	Name  string   // comm: 15 bytes at most
	Exe   string   // argv[0]
	Path  string   // of the executable, from the root of the process, links resolved
	Args  []string // without argv[0]; 4 KB together at most
	Env   []string // as execve was given it; 4 KB together at most
	CWD   string
	TTY   uint32 // number of its terminal's device; 0: none
	UID   uint32 // effective
	GID   uint32 // effective
	Login uint32 // loginuid; 0xffffffff: never set

	Permitted, Effective, Inheritable uint64 // capabilities, by bit

	Namespaces Namespaces
	Cgroup     uint64 // id of its cgroup (inode of its folder in the unified hierarchy, where it has one)
	File       Program
	Exec       int64     // when it last called execve: nanoseconds since 1970; 0: not since it was forked
	Stdio      [3]FDKind // when it last called execve

	Ended     bool
	Before    bool       // it began before the sensor did: it is told as /proc had it
	Parent    *Process   // nil: it has none, or it is not known
	Container *Container // nil: it is one of the node itself
	Missing   string     // why no more than this is known of it; "": nothing is missing
}

// Namespaces are inode numbers.
type Namespaces struct {
	Cgroup, IPC, Mount, Net, PID, User, UTS uint32
}

// Program is the file that a process executes.
type Program struct {
	Inode, Device uint64
	Changed       int64 // ctime, nanoseconds since 1970
	Modified      int64 // mtime
	Upper         bool  // in the upper layer of an overlay: it is not as the image had it
	Lower         bool  // in a lower layer
	Memory        bool  // of memfd_create
	Deleted       bool  // it has no name any more
	Writable      bool  // for whoever executes it
	SetID         bool  // it runs with the rights of its owner or group
}

// Container is what a cgroup belongs to.
type Container struct {
	ID      string // 64 hex digits, or what the engine calls it
	Name    string
	Engine  string // docker, containerd, cri-o, podman, runc, ...
	Image   string // reference as it was asked for
	ImageID string
	Digest  string // of the image's manifest, "sha256:..."
	Command []string
	Env     []string
	Labels  map[string]string
	Mounts  []Mount
	IP      string

	Privileged, HostPID, HostNetwork, HostIPC bool

	Started int64  // nanoseconds since 1970
	PID     int    // of its first process; 0: not known
	Cgroup  string // path in its hierarchy
	Upper   string // folder of the node that its writes go to, of an overlay
	Pod     *PodRef
	Missing string // why less is known of it than its engine would tell; "": nothing is missing
}

// ShortID is what people call a container by.
func (c *Container) ShortID() string { return c.ID[:min(len(c.ID), 12)] }

// Mount is what a container has of its node.
type Mount struct {
	Source, Dest, Mode string
	Write              bool
	Propagation        string
}

// PodRef is the pod of a container.
type PodRef struct {
	Namespace, Name, UID string
	IP                   string
	Sandbox              string // id of its sandbox
	Labels               map[string]string
}
