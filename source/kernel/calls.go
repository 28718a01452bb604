package kernel

import (
	"fmt"
	"strconv"
	"strings"

	"bulwark"
)

// How an argument comes into the record: OP_* of bpf/sensor.h.
const (
	opEnd = iota
	opSkip
	opResult
	opFDResult
	opFD
	opS64
	opS32
	opU32
	opText
	opBuffer
	opRead64
	opRead32
	opAddress
	opMessage
	opMsgAddress
	opCaps
	opEUID
	opEGID
	opDirFD
	opCWD
)

// sources says for each system call where its parameters come from, in the order of the table of kinds:
//
//	r result, F result that is a descriptor (A: of an accepted socket), f0 descriptor in argument 0,
//	0 argument 0, i0 as a signed and u0 an unsigned half word, s0 the text that it points to,
//	b1:2 the buffer of argument 1 with the length of argument 2 (r: of the result), p0+8 and q0+8 the word and half word there,
//	D0 descriptor in argument 0, of a folder in which the path behind it begins where that is relative,
//	a1:2 the address of argument 1, m1 the buffers and n1 the address of a message; the addresses are no parameters,
//	W the working directory as a descriptor, which is no parameter,
//	d n at the end: the device and inode of the descriptor, which come with it, c0 capabilities, e g effective user and group, - not known
const sources = `
open F s0 1 2 d n
openat F i0 s1 2 3 d n
openat2 F i0 s1 p2+0 p2+8 p2+16 d n
creat F s0 1 d n
open_by_handle_at F i0 2 - d n
close r f0
read r b1:r f0 2
write r b1:2 f0 2
execve r s0
execveat r s1
clone r - - - - - - - 0
clone3 r - - - - - - - p0+0
fork r
vfork r
connect r - f0 a1:2
accept A
accept4 A - - - - 3
bind r - f0 a1:2
listen r f0 1
socket F 0 1 2
socketpair r q3+0 q3+4 0 1
setsockopt r f0 1 2 q3+0 4
shutdown r f0 1
sendto r b1:2 f0 2 - a4:5
sendmsg r m1 f0 r - n1
sendmmsg r m1 f0 r - n1
recvfrom r b1:r - f0 2
recvmsg r r m1 - f0
recvmmsg r r m1 - f0
dup F
dup2 r i0 F
dup3 r i0 F 2
rename r s0 s1
renameat r D0 s1 D2 s3
renameat2 r D0 s1 D2 s3 4
unlink r s0
unlinkat r D0 s1 2
rmdir r s0
link r s0 s1
linkat r D0 s1 D2 s3 4
symlink r s0 s1
symlinkat r s0 D1 s2
mkdir r 1 s0
mkdirat r D0 s1 2
mknod r s0 1 2
mknodat r D0 s1 2 3
chmod r s0 1
fchmod r f0 1
fchmodat r D0 s1 2
fchmodat2 r D0 s1 2 3
chown r s0 u1 u2
lchown r s0 u1 u2
fchown r f0 u1 u2
fchownat r D0 s1 u2 u3 4
truncate r s0 1
ftruncate r f0 1
utimensat r D0 s1 3
setxattr r s0 s1
mount r s0 s1 s2 3
umount2 r s0 1
fsopen F s0 1
fsconfig r f0 i1 s2 s3
fsmount F i0 1
move_mount r i0 s1 i2 s3 4
open_tree F i0 s1 2
pivot_root r s0 s1
chroot r s0
chdir r s0 W
fchdir r f0
setns r f0 1
unshare r 0
ptrace r i0 i1 2 3
process_vm_readv r i0
process_vm_writev r i0
pidfd_open F i0 1
pidfd_getfd F i0 i1 2
bpf F i0
perf_event_open F q0+0 i1 i2 4
init_module r 1 s2
finit_module r f0 s1 2
delete_module r s0 1
kexec_load r 3
kexec_file_load r f0 4
reboot r 2
swapon r s0 1
swapoff r s0
setuid r u0 e
setgid r u0 g
setreuid r u0 u1
setregid r u0 u1
setresuid r u0 u1 u2
setresgid r u0 u1 u2
setsid r
setpgid r i0 i1
capset r c0 c1 c2
prctl r i0 s1 1
seccomp r 0 1
kill r i0 i1
tkill r i0 i1
tgkill r i0 i1 i2
rt_sigqueueinfo r i0 i1
rt_tgsigqueueinfo r i0 i1 i2
pidfd_send_signal r f0 i1
memfd_create F s0 1
userfaultfd F 0
io_uring_setup F 0 q1+8
io_uring_enter r f0 1 2 3
io_uring_register r f0 1
mmap r 0 1 2 3 f4 5
mprotect r 0 1 2
ioctl r f0 1 2
splice r f0 i2 4 5
sendfile r i0 f1 2 3
keyctl r i0
iopl r i0
pipe r q0+0 q0+4
pipe2 r q0+0 q0+4 1
`

// volume are the calls that are made by the thousand: they do not fill the ring of the others. Calls of which no more than
// the name is known are with them.
const volume = ` open openat openat2 creat close read write connect accept accept4 socket socketpair setsockopt shutdown sendto
sendmsg sendmmsg recvfrom recvmsg recvmmsg dup dup2 dup3 rename renameat renameat2 unlink unlinkat rmdir link linkat symlink symlinkat
mkdir mkdirat mknod mknodat chmod fchmod fchmodat fchmodat2 chown lchown fchown fchownat truncate ftruncate utimensat setxattr chdir fchdir
bind listen prctl kill tkill tgkill rt_sigqueueinfo rt_tgsigqueueinfo pidfd_open pidfd_send_signal
io_uring_enter mmap mprotect ioctl splice sendfile keyctl pipe pipe2 clone clone3 fork vfork execve execveat `

// opens tells which argument of an open says what for, counted from 1; 7: it always is for writing.
var opens = map[string]uint8{"open": 2, "openat": 3, "creat": 7, "open_by_handle_at": 3}

// tracepoints are named otherwise than their calls.
var tracepoints = map[string]string{
	"umount2": "umount", "stat": "newstat", "fstat": "newfstat", "lstat": "newlstat", "uname": "newuname", "sendfile": "sendfile64",
}

type op struct{ Op, Arg, Len, Off uint8 }

const (
	mostOps   = 16
	mostConds = 32
	calls     = 512
)

// The events that are no system calls: EV_* of bpf/sensor.h.
const (
	evExec = calls + iota
	evFork
	evExit
	evCgroupMade
	evCgroupGone
	evOOM
	evSignal
	evIOURing
	evClose
	evPayload
	evDNS
	evFlow
	evRounding
)

var special = map[bulwark.Kind]uint32{
	bulwark.KindExec: evExec, bulwark.KindClone: evFork, bulwark.KindExit: evExit, bulwark.KindCgroupMade: evCgroupMade,
	bulwark.KindCgroupGone: evCgroupGone, bulwark.KindOOM: evOOM, bulwark.KindSignal: evSignal, bulwark.KindIOURing: evIOURing,
	bulwark.KindPayload: evPayload, bulwark.KindDNS: evDNS, bulwark.KindFlow: evFlow, bulwark.KindRounding: evRounding,
}

// ops are those of all calls; filed tells of which kinds of events the last two parameters are the device and inode of the descriptor.
var ops, filed = parseSources()

func parseSources() (all map[string][]op, filed []bool) {
	all, filed = map[string][]op{}, make([]bool, len(bulwark.Kinds())+1)
	for line := range strings.Lines(sources) {
		words := strings.Fields(line)
		if len(words) == 0 {
			continue
		}
		if last := len(words) - 2; last > 0 && words[last] == "d" && words[last+1] == "n" {
			words = words[:last]
			k, _ := bulwark.KindNamed(words[0])
			filed[k] = true
		}
		list := make([]op, 0, mostOps)
		for _, w := range words[1:] {
			o, err := parseSource(w)
			if err != nil {
				panic(fmt.Sprintf("sources of %s: %v", words[0], err))
			}
			if last := len(list) - 1; last >= 0 && follows(list[last], o) {
				list[last].Len++ // one that puts both takes half as long
				continue
			}
			list = append(list, o)
		}
		all[words[0]] = list
	}
	return all, filed
}

// follows tells whether o puts the argument behind that or those which list puts.
func follows(run, o op) bool {
	return run.Op == opS64 && o.Op == opS64 && o.Arg == run.Arg+run.Len+1
}

// gives tells what path a call has that gives a file: 1 + its argument; 7: it gives one and has no path; 0: it gives none.
func gives(list []op) uint16 {
	if len(list) == 0 || list[0].Op != opFDResult {
		return 0
	}
	for _, o := range list {
		if o.Op == opText {
			return 1 + uint16(o.Arg)
		}
	}
	return 7
}

var plain = map[byte]uint8{
	'r': opResult, 'F': opFDResult, 'A': opFDResult, 'f': opFD, 'i': opS32, 'u': opU32, 's': opText, 'b': opBuffer, 'p': opRead64, 'q': opRead32,
	'a': opAddress, 'm': opMessage, 'n': opMsgAddress, 'c': opCaps, 'D': opDirFD, 'W': opCWD, 'e': opEUID, 'g': opEGID, '-': opSkip,
}

func parseSource(w string) (o op, err error) {
	if w[0] >= '0' && w[0] <= '9' {
		w = "x" + w
	}
	o.Op = plain[w[0]]
	if w[0] == 'x' {
		o.Op = opS64
	}
	if o.Op == opEnd {
		return o, fmt.Errorf("%q is no source", w)
	}
	if w[0] == 'A' {
		o.Off = 1
	}
	rest, off, _ := strings.Cut(w[1:], "+")
	arg, length, _ := strings.Cut(rest, ":")
	set := func(to *uint8, text string) {
		n, wrong := strconv.ParseUint(text, 10, 8)
		if text != "" && wrong != nil {
			err = wrong
		}
		*to = uint8(n)
	}
	if off != "" {
		set(&o.Off, off)
	}
	set(&o.Arg, arg)
	if length == "r" {
		o.Len = 6
	} else {
		set(&o.Len, length)
	}
	if o.Op == opCaps {
		o.Off, o.Arg = o.Arg, 0
	}
	return o, err
}
