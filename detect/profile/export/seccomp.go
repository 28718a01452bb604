package export

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"

	"bulwark/detect/profile"
)

// The document, as the OCI's runtime specification has it ("linux.seccomp").
type seccomp struct {
	Default       string        `json:"defaultAction"`
	Errno         int           `json:"defaultErrnoRet"`
	Architectures []string      `json:"architectures"`
	Syscalls      []seccompRule `json:"syscalls"`
}

type seccompRule struct {
	Names  []string `json:"names"`
	Action string   `json:"action"`
	Errno  *int     `json:"errnoRet,omitempty"`
	// Comment is Docker's; others leave it out.
	Comment string `json:"comment,omitempty"`
}

const (
	allow   = "SCMP_ACT_ALLOW"
	refuse  = "SCMP_ACT_ERRNO"
	noPerm  = 1
	noCall  = 38
	compat  = "32-bit"
	runtime = "the runtime calls it between the loading of the filter and the execution of the container's program"
)

// base are what runc and crun need once the filter is loaded, and what every program needs, by why.
var base = []struct{ why, names string }{
	{runtime + ": it executes the program", "execve"},
	{runtime + ": it gives up rights and takes its user", "capget capset setuid setgid setgroups prctl setresuid setresgid keyctl"},
	{runtime + ": it closes files, goes to the working folder and finds the program", `close close_range openat openat2 open read write getdents64 fcntl fstat fstatfs
statfs newfstatat stat lstat statx access faccessat faccessat2 readlinkat readlink chdir fchdir getcwd dup dup2 dup3 fchown lseek pread64 ioctl umask`},
	{runtime + ": it is written in Go, whose own scheduler and memory need it", `futex clone clone3 mmap munmap mprotect madvise brk rt_sigaction rt_sigprocmask rt_sigreturn
sigaltstack tgkill getpid getppid gettid getuid geteuid getgid getegid nanosleep clock_gettime sched_yield sched_getaffinity epoll_create1 epoll_ctl epoll_pwait
epoll_wait eventfd2 pipe2 arch_prctl set_tid_address set_robust_list rseq prlimit64 getrlimit setrlimit getrandom uname restart_syscall sendmsg recvmsg sendto poll ppoll wait4 waitid`},
	{"every program ends by it", "exit exit_group"},
}

// probed are calls that libraries try, and do without where the kernel says that it does not know them; an EPERM would
// be taken for the last word.
var probed = strings.Fields("clone3 close_range openat2 faccessat2 statx rseq pidfd_open epoll_pwait2 futex_waitv fchmodat2 copy_file_range membarrier io_uring_setup landlock_create_ruleset cachestat mseal set_mempolicy_home_node preadv2 pwritev2")

// architectures are the names that libseccomp has.
var architectures = map[string]string{"amd64": "SCMP_ARCH_X86_64", "arm64": "SCMP_ARCH_AARCH64"}

// Seccomp allows the calls that were seen and those that a runtime needs; others fail with EPERM. JSON has no
// comments: "comment" of each rule, which runtimes pass over, says why.
func Seccomp(p *profile.Profile) (string, error) {
	if len(p.Syscalls) == 0 {
		return "", fmt.Errorf("the profile of %s has no system calls: learn them with bulwark watch --learn as root on Linux", Name(p))
	}
	arch, ok := architectures[p.Arch]
	if !ok {
		return "", fmt.Errorf("the profile of %s does not tell on which architecture it was learned", Name(p))
	}
	errno := noCall
	doc := seccomp{Default: refuse, Errno: noPerm, Architectures: []string{arch}, Syscalls: []seccompRule{}}
	if p.Syscalls[compat] != nil {
		return "", fmt.Errorf("containers of %s made system calls of 32-bit programs, which were not told apart: no filter can be made of that (%s)", Name(p), p.Syscalls[compat])
	}
	for i, name := range slices.Sorted(maps.Keys(p.Syscalls)) {
		why := p.Syscalls[name].String()
		if i == 0 {
			why = strings.Join(head(p, "seccomp profile"), "; ") + ". " + why
		}
		doc.Syscalls = append(doc.Syscalls, seccompRule{Names: []string{name}, Action: allow, Comment: clean(why)})
	}
	given := map[string]bool{}
	for _, part := range base {
		rule := seccompRule{Action: allow, Comment: part.why}
		for name := range strings.FieldsSeq(part.names) {
			if p.Syscalls[name] == nil && !given[name] && fits(name, p.Arch) {
				given[name] = true
				rule.Names = append(rule.Names, name)
			}
		}
		if len(rule.Names) > 0 {
			doc.Syscalls = append(doc.Syscalls, rule)
		}
	}
	rule := seccompRule{Action: refuse, Errno: &errno, Comment: "libraries try them, and do without where the kernel says that it has none (ENOSYS)"}
	for _, name := range probed {
		if p.Syscalls[name] == nil && !given[name] {
			rule.Names = append(rule.Names, name)
		}
	}
	if len(rule.Names) > 0 {
		doc.Syscalls = append(doc.Syscalls, rule)
	}
	data, err := json.MarshalIndent(doc, "", "  ")
	return escaped(data) + "\n", err
}

// old are calls that only x86 has.
var old = strings.Fields("open stat lstat access readlink dup2 epoll_wait poll arch_prctl getrlimit setrlimit")

func fits(name, arch string) bool {
	return arch == "amd64" || !slices.Contains(old, name) || name == "getrlimit" || name == "setrlimit"
}
