// SPDX-License-Identifier: GPL-2.0-only OR MIT
// Which system calls the processes of a cgroup make, and which capabilities their calls are granted: a bit for each in a map,
// and one record when a bit is set.
#include "kernel.h"

char LICENSE[] SEC("license") = "Dual MIT/GPL";

#define CALLS 512
#define COMPAT (CALLS - 1) /* a call of a 32-bit program, whichever */

/* PROGRAM: by a program of the container; MADE: by one that lies elsewhere: the runtime's, which makes the container ready, or one in
   memory. */
enum { PROGRAM, MADE, MADES };
enum { EV_CALL = 1, EV_CAP };
enum { SENT, DROPPED, COUNTS };

struct used {
	u64 calls[MADES][CALLS / 64];
	u64 caps[MADES];
};

struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 4096);
	__type(key, u64);
	__type(value, struct used);
} uses SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 1 << 19);
} ring SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, COUNTS);
	__type(key, u32);
	__type(value, u64);
} counts SEC(".maps");

struct record {
	u64 time, start, cgroup;
	u32 pid, tid, uid;
	u16 event, nr, call;
	u8 made, pad[5];
	char comm[16];
};

const volatile u32 host_mount;

/* zero is what a cgroup begins with: too large for the stack. */
static const struct used zero;

static __always_inline void count(u32 what) {
	u64 *n = bpf_map_lookup_elem(&counts, &what);
	if (n)
		__sync_fetch_and_add(n, 1);
}

/* of is what the thread's cgroup used; nothing where it is none of a container. */
static __always_inline struct used *of(u64 cgroup) {
	if (cgroup <= 1)
		return 0;
	struct used *u = bpf_map_lookup_elem(&uses, &cgroup);
	if (u)
		return u;
	struct task_struct *t = (void *)bpf_get_current_task();
	if (BPF_CORE_READ(t, nsproxy, mnt_ns, ns.inum) == host_mount)
		return 0;
	bpf_map_update_elem(&uses, &cgroup, &zero, BPF_NOEXIST);
	return bpf_map_lookup_elem(&uses, &cgroup);
}

/* made tells where the thread's program lies. */
static __always_inline u32 made(struct task_struct *t) {
	struct file *f = BPF_CORE_READ(t, mm, exe_file);
	if (!f)
		return MADE;
	struct vfsmount *m = BPF_CORE_READ(f, f_path.mnt);
	struct mount *mt = (void *)m - bpf_core_field_offset(struct mount, mnt);
	return BPF_CORE_READ(mt, mnt_ns) == BPF_CORE_READ(t, nsproxy, mnt_ns) ? PROGRAM : MADE;
}

/* number is that of the system call that a thread makes. */
static __always_inline u16 number(struct pt_regs *r) {
#if defined(__TARGET_ARCH_x86)
	u64 nr = BPF_CORE_READ(r, orig_ax);
#else
	u64 nr = BPF_CORE_READ(r, syscallno);
#endif
	return nr < COMPAT ? nr : COMPAT;
}

/* compat tells whether the call is one of a 32-bit program. The verifier knows the thread's type: nothing is copied. */
static __always_inline bool compat(void) {
	struct task_struct *t = (void *)bpf_get_current_task_btf();
#if defined(__TARGET_ARCH_x86)
	return t->thread_info.status & 2; /* TS_COMPAT */
#else
	return t->thread_info.flags & (1 << 22); /* TIF_32BIT */
#endif
}

/* told sends a record; false: there is no room, and the next time tries again. */
static __always_inline bool told(struct task_struct *t, u64 cgroup, u16 event, u16 nr, u16 call, u8 where) {
	struct record *r = bpf_ringbuf_reserve(&ring, sizeof(*r), 0);
	if (!r) {
		count(DROPPED);
		return false;
	}
	r->time = bpf_ktime_get_boot_ns();
	r->start = BPF_CORE_READ(t, group_leader, start_boottime);
	r->cgroup = cgroup;
	r->pid = BPF_CORE_READ(t, tgid);
	r->tid = BPF_CORE_READ(t, pid);
	r->uid = BPF_CORE_READ(t, cred, euid.val);
	r->event = event;
	r->nr = nr;
	r->call = call;
	r->made = where;
	__builtin_memset(r->pad, 0, sizeof(r->pad));
	BPF_CORE_READ_INTO(&r->comm, t, comm);
	count(SENT);
	bpf_ringbuf_submit(r, 0);
	return true;
}

SEC("raw_tracepoint/sys_enter")
int on_enter(struct bpf_raw_tracepoint_args *ctx) {
	u64 cgroup = bpf_get_current_cgroup_id();
	struct used *u = of(cgroup);
	if (!u)
		return 0;
	u64 nr = ctx->args[1];
	if (nr > COMPAT || compat())
		nr = COMPAT;
	u64 bit = 1ull << (nr & 63), word = (nr >> 6) & (CALLS / 64 - 1);
	if (u->calls[PROGRAM][word] & bit)
		return 0;
	struct task_struct *t = (void *)bpf_get_current_task();
	u32 where = made(t) & 1;
	if (u->calls[where][word] & bit)
		return 0;
	if (told(t, cgroup, EV_CALL, nr, nr, where))
		u->calls[where][word] |= bit; /* a bit that another thread loses is told twice */
	return 0;
}

SEC("raw_tracepoint/cap_capable")
int on_capable(struct bpf_raw_tracepoint_args *ctx) {
	u32 cap = ctx->args[3];
	if ((int)ctx->args[4] || cap > 63)
		return 0;
	u64 cgroup = bpf_get_current_cgroup_id();
	struct used *u = of(cgroup);
	if (!u)
		return 0;
	u64 bit = 1ull << cap;
	if (u->caps[PROGRAM] & bit)
		return 0;
	struct task_struct *t = (void *)bpf_get_current_task();
	if (ctx->args[0] != (u64)BPF_CORE_READ(t, real_cred))
		return 0; /* another's, or those that the kernel takes for a while: overlayfs those of who mounted it */
	u32 where = made(t) & 1;
	if (u->caps[where] & bit)
		return 0;
	u16 call = COMPAT;
	if (!compat())
		call = number((void *)bpf_task_pt_regs(bpf_get_current_task_btf()));
	if (told(t, cgroup, EV_CAP, cap, call, where))
		u->caps[where] |= bit;
	return 0;
}
