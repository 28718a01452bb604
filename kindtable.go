package bulwark

import "strings"

// The kinds that code speaks of; [KindNamed] finds all others.
var (
	KindClone, KindExit, KindExec         = kindOf("clone"), kindOf("procexit"), kindOf("execve")
	KindDNS, KindPayload, KindFlow        = kindOf("dns"), kindOf("payload"), kindOf("flow")
	KindCgroupMade, KindCgroupGone        = kindOf("cgroup_mkdir"), kindOf("cgroup_rmdir")
	KindOOM, KindSignal, KindIOURing      = kindOf("oom"), kindOf("signaldeliver"), kindOf("io_uring")
	KindContainer, KindK8sAudit, KindDrop = kindOf("container"), kindOf("k8s_audit"), kindOf("drop")
	KindEngine                            = kindOf("engine")
	// The program itself did not run for a while, by the engine's clock: late is in nanoseconds, lost how many events sensors dropped
	// meanwhile, and sig SIGCONT where that signal had it go on, 0 else.
	KindStall = kindOf("stall")
	// Threads of a cgroup round numbers otherwise than to the nearest, which few programs do.
	KindRounding = kindOf("rounding")
	// What a container took since the last event of this kind, and has now. What is not known is -1, as are limits where there are none.
	KindUsage = kindOf("usage")
	// The first time that a cgroup makes a system call, or is granted a capability that a call needs.
	KindSyscallUsed, KindCapabilityUsed = kindOf("syscall_used"), kindOf("capability_used")
)

// events has a line for each kind that is no system call: its name, then parameters as
// name:type or name:type:names.
const events = `
procexit status:result ret:int sig:signal core:int reaper_tid:pid
signaldeliver spid:pid dpid:pid sig:signal
dns name:text type:int rcode:int server:address
payload data:bytes size:int
flow sent:int received:int packets:int duration:int
cgroup_mkdir id:int path:path
cgroup_rmdir id:int path:path
oom pid:pid
rounding mxcsr:hex times:int
io_uring opcode:enum:io_uring fd:fd flags:hex
container json:text
engine action:text
k8s_audit
drop class:text count:int
stall late:int lost:int sig:signal
usage span:int cpu:int cpu_limit:int throttled:int memory:int memory_limit:int read:int written:int received:int sent:int pids:int pids_limit:int pressure_cpu:int pressure_memory:int pressure_io:int oom:int refused:int overflows:int
syscall_used name:text nr:int program:int comm:text
capability_used name:text nr:int program:int comm:text call:text
`

// syscalls has one for each system call whose parameters rules ask for, in the order that rules know;
// those of which only the name is known stand behind them.
const syscalls = `
open fd:fd name:path flags:flags:open mode:octal dev:hex ino:int
openat fd:fd dirfd:fd name:path flags:flags:open mode:octal dev:hex ino:int
openat2 fd:fd dirfd:fd name:path flags:flags:open mode:octal resolve:flags:resolve dev:hex ino:int
creat fd:fd name:path mode:octal dev:hex ino:int
open_by_handle_at fd:fd mountfd:fd flags:flags:open path:path dev:hex ino:int
close res:result fd:fd
read res:result data:bytes fd:fd size:int
write res:result data:bytes fd:fd size:int
execve res:result exe:text args:list tid:pid pid:pid ptid:pid cwd:path comm:text env:list tty:int vpgid:pid loginuid:uid flags:flags:exec cap_inheritable:caps cap_permitted:caps cap_effective:caps exe_ino:int exe_ino_ctime:time exe_ino_mtime:time uid:uid trusted_exepath:path pgid:pid gid:gid filename:path
execveat res:result exe:text args:list tid:pid pid:pid ptid:pid cwd:path comm:text env:list tty:int vpgid:pid loginuid:uid flags:flags:exec cap_inheritable:caps cap_permitted:caps cap_effective:caps exe_ino:int exe_ino_ctime:time exe_ino_mtime:time uid:uid trusted_exepath:path pgid:pid gid:gid filename:path
clone res:result exe:text args:list tid:pid pid:pid ptid:pid cwd:path comm:text flags:flags:clone uid:uid gid:gid vtid:pid vpid:pid
clone3 res:result exe:text args:list tid:pid pid:pid ptid:pid cwd:path comm:text flags:flags:clone uid:uid gid:gid vtid:pid vpid:pid
fork res:result exe:text args:list tid:pid pid:pid ptid:pid cwd:path comm:text flags:flags:clone uid:uid gid:gid vtid:pid vpid:pid
vfork res:result exe:text args:list tid:pid pid:pid ptid:pid cwd:path comm:text flags:flags:clone uid:uid gid:gid vtid:pid vpid:pid
connect res:result tuple:tuple fd:fd addr:address
accept fd:fd tuple:tuple queuepct:int queuelen:int queuemax:int
accept4 fd:fd tuple:tuple queuepct:int queuelen:int queuemax:int flags:int
bind res:result addr:address fd:fd
listen res:result fd:fd backlog:int
socket fd:fd domain:enum:domain type:enum:sock proto:int
socketpair res:result fd1:fd fd2:fd domain:enum:domain type:enum:sock proto:int
setsockopt res:result fd:fd level:enum:level optname:enum:sockopt val:int optlen:int
shutdown res:result fd:fd how:enum:shutdown
sendto res:result data:bytes fd:fd size:int tuple:tuple
sendmsg res:result data:bytes fd:fd size:int tuple:tuple
sendmmsg res:result data:bytes fd:fd size:int tuple:tuple
recvfrom res:result data:bytes tuple:tuple fd:fd size:int
recvmsg res:result size:int data:bytes tuple:tuple fd:fd
recvmmsg res:result size:int data:bytes tuple:tuple fd:fd
dup res:result fd:fd
dup2 res:result oldfd:fd newfd:fd
dup3 res:result oldfd:fd newfd:fd flags:flags:open
rename res:result oldpath:path newpath:path
renameat res:result olddirfd:fd oldpath:path newdirfd:fd newpath:path
renameat2 res:result olddirfd:fd oldpath:path newdirfd:fd newpath:path flags:flags:rename
unlink res:result path:path
unlinkat res:result dirfd:fd name:path flags:flags:unlink
rmdir res:result path:path
link res:result oldpath:path newpath:path
linkat res:result olddir:fd oldpath:path newdir:fd newpath:path flags:flags:link
symlink res:result target:path linkpath:path
symlinkat res:result target:path linkdirfd:fd linkpath:path
mkdir res:result mode:octal path:path
mkdirat res:result dirfd:fd path:path mode:octal
mknod res:result path:path mode:octal dev:hex
mknodat res:result dirfd:fd path:path mode:octal dev:hex
chmod res:result filename:path mode:flags:chmod
fchmod res:result fd:fd mode:flags:chmod
fchmodat res:result dirfd:fd filename:path mode:flags:chmod
fchmodat2 res:result dirfd:fd filename:path mode:flags:chmod flags:hex
chown res:result path:path uid:uid gid:gid
lchown res:result path:path uid:uid gid:gid
fchown res:result fd:fd uid:uid gid:gid
fchownat res:result dirfd:fd pathname:path uid:uid gid:gid flags:hex
truncate res:result path:path size:int
ftruncate res:result fd:fd size:int
utimensat res:result dirfd:fd path:path flags:hex
setxattr res:result path:path name:text
mount res:result dev:path dir:path type:text flags:flags:mount
umount res:result name:path
umount2 res:result name:path flags:flags:umount
fsopen fd:fd type:text flags:hex
fsconfig res:result fd:fd cmd:int key:text value:text
fsmount fd:fd fsfd:fd flags:hex
move_mount res:result fromdirfd:fd frompath:path todirfd:fd topath:path flags:hex
open_tree fd:fd dirfd:fd path:path flags:hex
pivot_root res:result newroot:path putold:path
chroot res:result path:path
chdir res:result path:path
fchdir res:result fd:fd
setns res:result fd:fd nstype:flags:clone
unshare res:result flags:flags:clone
ptrace res:result request:enum:ptrace pid:pid addr:hex data:hex
process_vm_readv res:result pid:pid
process_vm_writev res:result pid:pid
pidfd_open fd:fd pid:pid flags:hex
pidfd_getfd fd:fd pid_fd:fd target_fd:int flags:hex
bpf fd:fd cmd:enum:bpf
perf_event_open fd:fd type:int pid:pid cpu:int flags:hex
init_module res:result length:int uargs:text
finit_module res:result fd:fd uargs:text flags:flags:module
delete_module res:result name:text flags:flags:open
kexec_load res:result flags:hex
kexec_file_load res:result fd:fd flags:hex
reboot res:result cmd:hex
swapon res:result path:path flags:hex
swapoff res:result path:path
setuid res:result uid:uid euid:uid
setgid res:result gid:gid egid:gid
setreuid res:result ruid:uid euid:uid
setregid res:result rgid:gid egid:gid
setresuid res:result ruid:uid euid:uid suid:uid
setresgid res:result rgid:gid egid:gid sgid:gid
setsid res:result
setpgid res:result pid:pid pgid:pid
capset res:result cap_inheritable:caps cap_permitted:caps cap_effective:caps
prctl res:result option:enum:prctl arg2_str:text arg2_int:int
seccomp res:result op:int flags:hex
kill res:result pid:pid sig:signal
tkill res:result tid:pid sig:signal
tgkill res:result pid:pid tid:pid sig:signal
rt_sigqueueinfo res:result pid:pid sig:signal
rt_tgsigqueueinfo res:result pid:pid tid:pid sig:signal
pidfd_send_signal res:result fd:fd sig:signal
memfd_create fd:fd name:text flags:flags:memfd
userfaultfd res:result flags:flags:open
io_uring_setup res:result entries:int flags:hex
io_uring_enter res:result fd:fd to_submit:int min_complete:int flags:hex
io_uring_register res:result fd:fd opcode:int
mmap res:hex addr:hex length:int prot:flags:prot flags:flags:mmap fd:fd offset:int
mprotect res:result addr:hex length:int prot:flags:prot
ioctl res:result fd:fd request:hex argument:hex
splice res:result fd_in:fd fd_out:fd size:int flags:hex
sendfile res:result out_fd:fd in_fd:fd offset:int size:int
keyctl res:result op:int
iopl res:result level:int
pipe res:result fd1:fd fd2:fd
pipe2 res:result fd1:fd fd2:fd flags:flags:open
`

// named are system calls of which rules ask no more than that they were made.
const named = `access acct add_key adjtimex alarm brk capget clock_adjtime clock_settime close_range copy_file_range eventfd2
epoll_create1 epoll_ctl faccessat faccessat2 fadvise64 fallocate fanotify_init fanotify_mark fcntl fdatasync flock fsync futex
getdents64 getcwd getpeername getpid getppid getrandom getrlimit getsockname getsockopt getuid inotify_init1 inotify_add_watch
io_setup ioperm ioprio_set kcmp landlock_restrict_self lookup_dcookie lseek madvise mbind membarrier migrate_pages mlock mlockall
mount_setattr move_pages mremap msync munlock munmap name_to_handle_at nanosleep newfstatat pause personality pkey_mprotect poll
ppoll preadv prlimit64 process_madvise pselect6 pwritev quotactl readahead readlink readlinkat readv pread64 pwrite64
removexattr request_key rseq rt_sigaction sched_setaffinity sched_setscheduler select semctl semget semop setdomainname
setfsgid setfsuid setgroups sethostname setitimer setpriority setrlimit settimeofday shmat shmctl shmdt shmget signalfd4 stat
fstat lstat statfs statx symlinkat sync syncfs sysfs syslog tee timerfd_create times umask uname ustat utime vhangup
vmsplice wait4 waitid writev`

// rare are the system calls that are left: rules may name them, and get them only then.
const rare = `arch_prctl cachestat clock_getres clock_gettime clock_nanosleep epoll_create epoll_pwait epoll_pwait2 epoll_wait eventfd
exit exit_group fgetxattr flistxattr fremovexattr fsetxattr fspick fstatfs futex_requeue futex_wait futex_waitv
futex_wake futimesat get_mempolicy get_robust_list get_thread_area getcpu getdents getegid geteuid getgid getgroups
getitimer getpgid getpgrp getpriority getresgid getresuid getrusage getsid gettid gettimeofday getxattr getxattrat
inotify_init inotify_rm_watch io_cancel io_destroy io_getevents io_pgetevents io_submit ioprio_get landlock_add_rule
landlock_create_ruleset lgetxattr listmount listxattr listxattrat llistxattr lremovexattr lsetxattr lsm_get_self_attr
lsm_list_modules lsm_set_self_attr map_shadow_stack memfd_secret mincore mlock2 modify_ldt mq_getsetattr mq_notify
mq_open mq_timedreceive mq_timedsend mq_unlink mseal msgctl msgget msgrcv msgsnd munlockall open_tree_attr
pkey_alloc pkey_free preadv2 process_mrelease pwritev2 quotactl_fd remap_file_pages removexattrat
restart_syscall rt_sigpending rt_sigprocmask rt_sigreturn rt_sigsuspend rt_sigtimedwait
sched_get_priority_max sched_get_priority_min sched_getaffinity sched_getattr sched_getparam
sched_getscheduler sched_rr_get_interval sched_setattr sched_setparam sched_yield semtimedop set_mempolicy
set_mempolicy_home_node set_robust_list set_thread_area set_tid_address setxattrat sigaltstack signalfd statmount
sync_file_range sysinfo time timer_create timer_delete timer_getoverrun timer_gettime timer_settime timerfd_gettime
timerfd_settime utimes`

// kindTable is made once; a Kind is an index of its list.
type kindTable struct {
	list    []kindInfo
	byName  map[string]Kind
	syscall Kind // the first one that is a system call
}

var allKinds = makeKinds()

func kindOf(name string) Kind { return allKinds.byName[name] }

func makeKinds() *kindTable {
	t := &kindTable{list: []kindInfo{{name: "none"}}, byName: map[string]Kind{}}
	for line := range strings.Lines(events) {
		t.add(line)
	}
	t.syscall = Kind(len(t.list))
	for line := range strings.Lines(syscalls) {
		t.add(line)
	}
	for name := range strings.FieldsSeq(named + " " + rare) {
		t.add(name + " res:result")
	}
	return t
}

func (t *kindTable) add(line string) {
	words := strings.Fields(line)
	if len(words) == 0 || t.byName[words[0]] != 0 {
		return
	}
	k := kindInfo{name: words[0]}
	for _, w := range words[1:] {
		part := strings.SplitN(w, ":", 3)
		p := Param{Name: part[0], Type: paramTypes[part[1]]}
		if len(part) == 3 {
			p.Names = part[2]
		}
		k.params = append(k.params, p)
	}
	t.byName[k.name] = Kind(len(t.list))
	t.list = append(t.list, k)
}

var paramTypes = map[string]ParamType{
	"int": ParamInt, "hex": ParamHex, "octal": ParamOctal, "text": ParamText, "path": ParamPath, "bytes": ParamBytes,
	"list": ParamList, "result": ParamResult, "fd": ParamFD, "pid": ParamPID, "uid": ParamUID, "gid": ParamGID,
	"signal": ParamSignal, "errno": ParamErrno, "tuple": ParamTuple, "address": ParamAddress, "time": ParamTime,
	"caps": ParamCaps, "flags": ParamFlags, "enum": ParamEnum,
}
