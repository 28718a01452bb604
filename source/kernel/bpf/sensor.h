/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/* What the programs and sensor's Go side agree on. */
#pragma once
#include "vmlinux.h"
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_core_read.h>

#define ROOM 16384 /* where a part of a record may begin */
#define NAME 4096
#define OPS 16
#define CONDS 32
#define CALLS 512 /* numbers of system calls; other events stand behind them */

enum { EV_EXEC = CALLS, EV_FORK, EV_EXIT, EV_CGROUP_MADE, EV_CGROUP_GONE, EV_OOM, EV_SIGNAL, EV_IOURING, EV_CLOSE, EV_PAYLOAD, EV_DNS, EV_FLOW, EV_ROUNDING, EVENTS };
enum { SLOT_TASK, SLOT_IRQ, SLOTS };
enum { CLASS_CRITICAL, CLASS_VOLUME, CLASSES };
enum { FILTERED, SENT, DROPPED, UNWANTED, TOLD, COUNTS }; /* what was seen is their sum; unwanted and told: calls that are filtered and sent */

/* Parts of a record: each begins with its tag. */
enum { TAG_NONE, TAG_NUMBER, TAG_TEXT, TAG_FD, TAG_PROCESS, TAG_ADDRESS, TAG_STOP, TAG_DIR };

/* How an argument comes into the record. */
enum {
	OP_END, OP_SKIP, OP_RESULT, OP_FDRESULT, OP_FD, OP_S64, OP_S32, OP_U32, OP_TEXT, OP_BUFFER, OP_READ64, OP_READ32,
	OP_ADDRESS, OP_MESSAGE, OP_MSGADDRESS, OP_CAPS, OP_EUID, OP_EGID, OP_DIRFD, OP_CWD,
};

struct op { u8 op, arg, len, off; };

/* All that is set must hold; 0 asks nothing. */
struct cond {
	u8 container, failed, write; /* 0 either, 1 yes, 2 no */
	u8 nflags;
	u8 flag[4]; /* number of the argument, 6: the result */
	u64 any[2];
	u64 paths, ports, nets; /* any of these sets */
};

/* What is known before paths and addresses are: where the thread is, how the call ended, what the file was opened for; 0: not known. */
enum { INSIDE = 1, HOST, FAILED = 1, WORKED, WRITES = 1, READS };
#define FACTS 32 /* (where * 3 + how) * 3 + what for */

/* What conditions can be met where that is so, and the sets of paths that they ask for. */
struct fact { u64 paths; u32 conds, pad; };

/* Sets of conditions have a bit for each. */
struct call {
	u16 kind;
	u8 class, open; /* open: 1 + number of the argument with flags; 0: it opens nothing; 255: not known */
	u32 conds;      /* all that there are; none: every event is wanted */
	u32 flagged, plain, pathed; /* those that ask for flags; those that ask for no path, port or network; those that ask for paths */
	u16 gives, pad;             /* what it gives is a file: 1 + argument with its path; 7: it has none; 0: it gives none */
	struct fact facts[FACTS];
	struct op ops[OPS];
	struct cond cond[CONDS];
};

struct head {
	u32 seq;
	u16 kind;
	u8 class, flags;
	u64 time, start, cgroup;
	s64 result;
	u32 pid, tid, uid;
	u16 cpu, event;
	u64 effective;           /* capabilities */
	u32 mnt, net, user, cgns; /* namespaces that a process can leave; 0 in events of packets, which have no more than who sent */
};

enum { CUT = 1 };

struct fdpart {
	u8 tag, flags, proto, family;
	s32 num;
	u64 ino;
	u32 dev, magic;
	u16 mode, len, lport, rport;
};

enum { FD_OUTSIDE = 1, FD_UPPER = 2, FD_CUT = 4, FD_SERVER = 8, FD_CONNECTED = 16, FD_ADDRESS = 32, FD_STREAM = 64 };

struct procpart {
	u8 tag, pad[3];
	u32 pid;
	u64 start;
	u32 ppid, vpid, pgid, sid, vpgid, vsid, uid, gid, login, tty;
	u32 ns[7];
	u32 flags;
	u64 caps[3];
	u64 ino;
	u32 dev, mode;
	s64 ctime, mtime;
	u32 owner, group, magic, links;
	u16 stdmode[4];
	u32 stdmagic[3], vtid;
	char comm[16];
};

enum { PROC_UPPER = 1, PROC_LOWER = 2, PROC_FILE = 4 };

struct walk {
	struct dentry *dentry, *rootdentry, *top; /* top: of the mount that it is in */
	struct vfsmount *mnt, *rootmnt;
	u32 at, outside, cut, pad;
};

struct scratch {
	u64 arg[8]; /* behind the arguments: the result */
	s64 ret;
	struct walk w;
	u32 off, slot;
	u64 paths, ports, nets; /* sets that what was met is in */
	u64 asked;              /* sets of paths that conditions which may be met ask for */
	u32 need, unsure;       /* need: none is met so far; unsure: 1: paths, 2: addresses are not known */
	u32 alive; /* conditions that may be met */
	u32 fdname, fdlen, fdset;
	u32 opened; /* the path of what the call gave is known */
	u32 climbed; /* the text that was given may have "../" in it */
	u32 known;  /* how many control groups were told apart when the last was asked about */
	s32 where;  /* that one: see whereabouts */
	u64 group, name;
	u32 far, run;
	u16 rport, family;
	u8 addr[16];
	u8 rec[ROOM + NAME + 256];
	u8 path[NAME + 256];
};

#define MAP(name, kind, keys, values, n)                                                           \
	struct {                                                                                   \
		__uint(type, kind);                                                                \
		__uint(max_entries, n);                                                            \
		__type(key, keys);                                                                 \
		__type(value, values);                                                             \
	} name SEC(".maps")

/* The compiler may not reason about x: it would leave out or split what the verifier has to see. */
#define opaque(x) asm volatile("" : "+r"(x))

static __always_inline u64 at_most(u64 n, u64 max) {
	opaque(n);
	if (n > max)
		n = max;
	return n;
}
