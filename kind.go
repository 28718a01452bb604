package bulwark

// Kind is what sort of thing happened. Those of system calls are called as the kernel calls them, the others
// as rules do.
type Kind uint16

// ParamType says how an argument is read and written.
type ParamType uint8

// The types of arguments. Text of an [Arg] is set for ParamText, ParamPath and ParamBytes, Num for the others.
const (
	ParamInt ParamType = iota // in decimal
	ParamHex
	ParamOctal   // a mode
	ParamText    // as it is, one line
	ParamPath    // as the caller gave it; below the folder of a descriptor where it begins there
	ParamBytes   // a part of a buffer
	ParamList    // texts, each ended by a zero byte
	ParamResult  // a result: 0, a number, or the name of an errno
	ParamFD      // a number, told with what it stands for
	ParamPID     // a number, told with its name
	ParamUID     //
	ParamGID     //
	ParamSignal  //
	ParamErrno   //
	ParamTuple   // both ends of the FD's socket
	ParamAddress // the remote end, or the one that is named
	ParamTime    // nanoseconds since 1970
	ParamCaps    // capabilities by bit
	ParamFlags   // bits with names: see Param.Names
	ParamEnum    // a number with a name
)

// Param is one parameter of a kind of event.
type Param struct {
	Name  string // as rules have it behind "evt.arg."
	Type  ParamType
	Names string // of ParamFlags and ParamEnum: which set of names: "open", "clone", "unshare", ...
}

type kindInfo struct {
	name   string
	params []Param
}

// KindNamed is the kind that is called so.
func KindNamed(name string) (Kind, bool) {
	k, ok := allKinds.byName[name]
	return k, ok
}

// String is the kind's name.
func (k Kind) String() string {
	if int(k) >= len(allKinds.list) {
		return "?"
	}
	return allKinds.list[k].name
}

// Params are the parameters of events of the kind, in the order of their arguments. Callers do not change them.
func (k Kind) Params() []Param {
	if int(k) >= len(allKinds.list) {
		return nil
	}
	return allKinds.list[k].params
}

// Kinds are all but the zero one.
func Kinds() []Kind {
	list := make([]Kind, 0, len(allKinds.list)-1)
	for k := 1; k < len(allKinds.list); k++ {
		list = append(list, Kind(k))
	}
	return list
}

// Syscall tells whether the kind is that of a system call.
func (k Kind) Syscall() bool { return k >= allKinds.syscall && int(k) < len(allKinds.list) }
