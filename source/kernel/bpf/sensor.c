// SPDX-License-Identifier: GPL-2.0-only OR MIT
// The programs of the sensor: what happens is described in a scratch, asked for by conditions, and put in a ring.
#include "net.h"

char LICENSE[] SEC("license") = "Dual MIT/GPL";

MAP(sequence, BPF_MAP_TYPE_PERCPU_ARRAY, u32, u32, CLASSES);

/* reset makes the scratch ready for an event that returned ret. */
static __always_inline void reset(struct scratch *s, u32 slot, s64 ret) {
	s->slot = slot;
	s->ret = s->arg[6] = ret;
	s->paths = s->ports = s->nets = 0;
	s->unsure = s->fdset = s->opened = s->climbed = s->far = 0;
	s->fdlen = 0;
	s->w.cut = 0;
	s->off = sizeof(struct head);
}

static __always_inline void stamp(struct scratch *s, struct call *c, u32 event) {
	struct head *h = (void *)s->rec;
	h->kind = c->kind;
	h->class = c->class;
	h->flags = 0;
	h->time = bpf_ktime_get_boot_ns();
	h->result = s->ret;
	h->cpu = bpf_get_smp_processor_id();
	h->event = event;
}

/* begin gives the scratch with the head of a record, or nothing where the event is not wanted. */
static __always_inline struct scratch *begin(u32 slot, u32 event, struct task_struct *t, s64 ret) {
	u32 key = event;
	struct call *c = bpf_map_lookup_elem(&calls, &key);
	if (!c || !c->kind)
		return 0;
	u32 pid = BPF_CORE_READ(t, tgid);
	if (own && pid == own)
		return 0;
	struct scratch *s = room(slot);
	if (!s)
		return 0;
	reset(s, slot, ret);
	if (!near(s, c, running(), slot, event)) {
		count(c->class, FILTERED);
		return 0;
	}
	stamp(s, c, event);
	struct head *h = (void *)s->rec;
	h->start = started(t);
	h->cgroup = cgroup_of(t);
	h->pid = pid;
	h->tid = BPF_CORE_READ(t, pid);
	const struct cred *cred = BPF_CORE_READ(t, cred);
	h->uid = BPF_CORE_READ(cred, euid.val);
	h->effective = caps(&cred->cap_effective);
	h->user = BPF_CORE_READ(cred, user_ns, ns.inum);
	struct nsproxy *ns = BPF_CORE_READ(t, nsproxy);
	h->mnt = BPF_CORE_READ(ns, mnt_ns, ns.inum);
	h->net = BPF_CORE_READ(ns, net_ns, ns.inum);
	h->cgns = BPF_CORE_READ(ns, cgroup_ns, ns.inum);
	return s;
}

/* send puts the record in the ring of its class; true: it had room. */
static __always_inline bool send(struct scratch *s, u32 class) {
	struct head *h = (void *)s->rec;
	if (class >= CLASSES)
		return true;
	u32 *seq = bpf_map_lookup_elem(&sequence, &class);
	if (seq)
		h->seq = ++*seq;
	u64 len = at_most(s->off, ROOM + NAME + 255);
	if (len >= ROOM)
		h->flags |= CUT;
	if (class == CLASS_CRITICAL)
		return !bpf_ringbuf_output(&critical, s->rec, len, 0);
	return !bpf_ringbuf_output(&volume, s->rec, len, wakeup(h->seq));
}

static __always_inline void finish(struct scratch *s, u32 event) {
	struct head *h = (void *)s->rec;
	u32 what = !wanted(s, event) ? FILTERED : send(s, h->class) ? SENT : DROPPED;
	count(h->class, what);
}

static __always_inline void put_address(struct scratch *s, const void *user, u64 len) {
	u64 before = here(s);
	if (!user || !len)
		return;
	put_user(s, TAG_ADDRESS, user, len, 110);
	u64 o = before;
	if (s->off <= before + 5 || o >= ROOM)
		return;
	u16 family = *(u16 *)&s->rec[o + 3];
	if (family == AF_UNIX && !s->fdlen)
		s->unsure |= 1; /* its path is the event's */
	if (family == AF_INET)
		far(s, AF_INET, __builtin_bswap16(*(u16 *)&s->rec[o + 5]), &s->rec[o + 7]);
	else if (family == AF_INET6)
		far(s, AF_INET6, __builtin_bswap16(*(u16 *)&s->rec[o + 5]), &s->rec[o + 11]);
}

/* put_dir adds the path of a folder in which a relative path begins. */
__noinline int put_dir(u32 slot, int fd) {
	struct scratch *s = room(slot);
	if (!s)
		return 0;
	struct file *f = file_of(running(), fd);
	u64 o = here(s);
	if (!f || o >= ROOM)
		return 0;
	walk(s, BPF_CORE_READ(f, f_path.mnt), BPF_CORE_READ(f, f_path.dentry));
	u64 n = at_most(walked(s), NAME);
	copy_path(s, o + 3, n);
	text_head(s, o, TAG_DIR, n);
	return 0;
}

/* put_cwd tells of the working directory, as of a descriptor; what it gives is where that ends. */
__noinline int put_cwd(u32 slot) {
	struct scratch *s = room(slot);
	if (!s)
		return 0;
	struct task_struct *t = (void *)bpf_get_current_task();
	struct fs_struct *fs = BPF_CORE_READ(t, fs);
	struct dentry *dentry = BPF_CORE_READ(fs, pwd.dentry);
	u64 o = here(s);
	if (o >= ROOM || s->fdset)
		return 0;
	struct inode *inode = BPF_CORE_READ(dentry, d_inode);
	struct super_block *sb = BPF_CORE_READ(inode, i_sb);
	s32 num = -100; /* AT_FDCWD */
	opaque(num); /* clang 14 loses the tag where this is a constant */
	struct fdpart p = {.tag = TAG_FD, .num = num};
	p.ino = BPF_CORE_READ(inode, i_ino);
	p.dev = BPF_CORE_READ(sb, s_dev);
	p.magic = BPF_CORE_READ(sb, s_magic);
	p.mode = BPF_CORE_READ(inode, i_mode);
	walk(s, BPF_CORE_READ(fs, pwd.mnt), dentry);
	u64 n = at_most(walked(s), NAME);
	copy_path(s, o + sizeof(p), n);
	p.len = n;
	if (s->w.outside)
		p.flags |= FD_OUTSIDE;
	__builtin_memcpy(&s->rec[o], &p, sizeof(p));
	s->off = o + sizeof(p) + n;
	return s->off;
}

/* add puts the i-th argument of the call in the record, or some arguments that are numbers. A function of its own: the verifier looks at it once. */
__noinline int add(struct scratch *s, struct call *c, u32 i) {
	if (!s || !c)
		return 0;
	u32 slot = s->slot;
	struct op *p = &c->ops[i & (OPS - 1)];
	u64 v = s->arg[p->arg & 7];
	u32 before = s->off;
	switch (p->op) {
	case OP_RESULT:
		put_number(s, s->ret);
		return 1;
	case OP_FDRESULT:
		put_number(s, s->ret);
		if (s->ret >= 0)
			s->opened = put_fd(slot, s->ret, p->off);
		goto fd;
	case OP_FD:
		put_number(s, (s32)v);
		put_fd(slot, v, 0);
		goto fd;
	case OP_DIRFD: /* the path that follows is compared as it was given: it may meet anything */
		put_number(s, (s32)v);
		if ((s32)v >= 0) {
			put_dir(slot, (s32)v);
			s->unsure |= 1;
		}
		return 1;
	case OP_CWD: {
		u64 name = before + sizeof(struct fdpart), end = put_cwd(slot);
		if (s->w.cut)
			s->unsure |= 1;
		else if (s->need && end > name)
			match_path(slot, name, end - name);
		return 1;
	}
	case OP_S64:
		for (u32 n = 0; n < 6; n++) {
			put_number(s, s->arg[(p->arg + n) & 7]);
			if (n >= p->len)
				break;
		}
		return 1;
	case OP_S32:
		put_number(s, (s32)v);
		return 1;
	case OP_U32:
		put_number(s, (u32)v);
		return 1;
	case OP_TEXT:
		put_string(s, (void *)v);
		if (s->off == before + 1)
			s->unsure |= 1;
		else if (s->need) {
			if (!s->opened || (s->asked & given))
				match_path(slot, before + 3, s->off - before - 3);
			if ((climbs & s->asked) && climbing(slot, before + 3, s->off - before - 3))
				s->climbed = 1;
		}
		return 1;
	case OP_BUFFER: {
		s64 len = s->arg[p->len & 7];
		if (len < 0 || (p->len >= 6 && len <= 0)) {
			put_none(s);
			return 1;
		}
		put_user(s, TAG_TEXT, (void *)v, len, 128);
		return 1;
	}
	case OP_READ64: {
		u64 n = 0;
		bpf_probe_read_user(&n, sizeof(n), (void *)v + p->off);
		put_number(s, n);
		return 1;
	}
	case OP_READ32: {
		s32 n = 0;
		bpf_probe_read_user(&n, sizeof(n), (void *)v + p->off);
		put_number(s, n);
		return 1;
	}
	case OP_ADDRESS:
		put_address(s, (void *)v, p->len == 7 ? 28 : (u32)s->arg[p->len & 7]);
		return 1;
	case OP_MESSAGE: {
		u64 iov = 0, at[2] = {};
		bpf_probe_read_user(&iov, sizeof(iov), (void *)v + 16);
		bpf_probe_read_user(at, sizeof(at), (void *)iov);
		put_user(s, TAG_TEXT, (void *)at[0], at[1], 128);
		return 1;
	}
	case OP_MSGADDRESS: {
		u64 name = 0;
		u32 len = 0;
		bpf_probe_read_user(&name, sizeof(name), (void *)v);
		bpf_probe_read_user(&len, sizeof(len), (void *)v + 8);
		put_address(s, (void *)name, len);
		return 1;
	}
	case OP_CAPS: {
		struct task_struct *t = (void *)bpf_get_current_task();
		const struct cred *cred = BPF_CORE_READ(t, cred);
		put_number(s, caps(p->off == 0 ? (void *)&cred->cap_inheritable : p->off == 1 ? (void *)&cred->cap_permitted : (void *)&cred->cap_effective));
		return 1;
	}
	case OP_EUID:
		put_number(s, (u32)bpf_get_current_uid_gid());
		return 1;
	case OP_EGID:
		put_number(s, bpf_get_current_uid_gid() >> 32);
		return 1;
	default:
		put_none(s);
		return 1;
	}
fd:
	if (s->need && s->fdset)
		match_path(slot, s->fdname, s->fdlen);
	if (s->fdset && s->w.cut)
		s->unsure |= 1;
	return 1;
}

const volatile u32 stack = 16384; /* bytes of the kernel's stack of a thread */

static __always_inline void older_arguments(struct scratch *s) {
	struct task_struct *t = (void *)bpf_get_current_task();
	struct pt_regs *r = BPF_CORE_READ(t, stack) + stack - bpf_core_type_size(struct pt_regs);
#if defined(__TARGET_ARCH_x86)
	s->arg[0] = BPF_CORE_READ(r, di);
	s->arg[1] = BPF_CORE_READ(r, si);
	s->arg[2] = BPF_CORE_READ(r, dx);
	s->arg[3] = BPF_CORE_READ(r, r10);
	s->arg[4] = BPF_CORE_READ(r, r8);
	s->arg[5] = BPF_CORE_READ(r, r9);
#else
	s->arg[0] = BPF_CORE_READ(r, orig_x0);
	for (int i = 1; i < 6; i++)
		bpf_core_read(&s->arg[i], 8, &r->regs[i]);
#endif
}

static __always_inline void arguments(struct scratch *s, struct task_struct *t) {
	if (!bpf_core_enum_value_exists(enum bpf_func_id___x, BPF_FUNC_task_pt_regs___x)) { /* before 5.15 */
		older_arguments(s);
		return;
	}
	struct pt_regs *r = (void *)bpf_task_pt_regs(t);
#if defined(__TARGET_ARCH_x86)
	s->arg[0] = r->di;
	s->arg[1] = r->si;
	s->arg[2] = r->dx;
	s->arg[3] = r->r10;
	s->arg[4] = r->r8;
	s->arg[5] = r->r9;
#else
	s->arg[0] = r->orig_x0;
	s->arg[1] = r->regs[1];
	s->arg[2] = r->regs[2];
	s->arg[3] = r->regs[3];
	s->arg[4] = r->regs[4];
	s->arg[5] = r->regs[5];
#endif
}

/* call is the hot path: what does not have to be known before the event is wanted comes after. */
static __always_inline int call(u32 event, s64 ret, bool opens) {
	u32 key = event;
	struct call *c = bpf_map_lookup_elem(&calls, &key);
	if (!c || !c->kind)
		return 0;
	struct task_struct *self = bpf_get_current_task_btf(), *t = untrusted(self);
	if (own && t->tgid == own)
		return 0;
	struct scratch *s = room(SLOT_TASK);
	if (!s)
		return 0;
	arguments(s, self);
	reset(s, SLOT_TASK, ret);
	if (!near(s, c, t, SLOT_TASK, event))
		goto unwanted;
	if (opens && c->gives && s->need && ret >= 0 && !(s->alive & ~c->pathed) && !glance(s, ret, c->gives))
		goto unwanted;
	for (u32 i = 0; i < OPS; i++)
		if (!c->ops[i].op || !add(s, c, i))
			break;
	if (!wanted(s, event))
		goto unwanted;
	stamp(s, c, event);
	struct head *h = (void *)s->rec;
	h->start = started_now(t);
	h->cgroup = cgroup_now(t);
	h->pid = t->tgid;
	h->tid = t->pid;
	const struct cred *cred = t->cred;
	h->uid = cred->euid.val;
	h->effective = caps(&cred->cap_effective);
	h->user = cred->user_ns->ns.inum;
	h->mnt = t->nsproxy->mnt_ns->ns.inum;
	h->net = t->nsproxy->net_ns->ns.inum;
	h->cgns = t->nsproxy->cgroup_ns->ns.inum;
	if (send(s, c->class))
		count_call(c->class, TOLD);
	else
		count(c->class, DROPPED);
	return 0;
unwanted:
	count_call(c->class, UNWANTED);
	return 0;
}

struct exit_args { u64 common; s64 nr; s64 ret; };
struct enter_args { u64 common; s64 nr; u64 args[6]; };

SEC("tracepoint/syscalls/sys_exit")
int on_exit_call(struct exit_args *ctx) {
	u32 nr = (u32)ctx->nr;
	return nr < CALLS ? call(nr, ctx->ret, true) : 0;
}

/* close is seen before it is carried out: what it closes is gone afterwards. */
SEC("tracepoint/syscalls/sys_enter_close")
int on_close(struct enter_args *ctx) {
	return call(EV_CLOSE, file_of(running(), ctx->args[0]) ? 0 : -9, false);
}

/* Calls that make processes: the one that was made has an event of its own. */
SEC("tracepoint/syscalls/sys_exit_clone")
int on_exit_clone(struct exit_args *ctx) {
	u32 nr = (u32)ctx->nr;
	return nr < CALLS && ctx->ret != 0 ? call(nr, ctx->ret, false) : 0;
}

/* Calls that execute something: what succeeded has an event of its own. */
SEC("tracepoint/syscalls/sys_exit_execve")
int on_exit_exec(struct exit_args *ctx) {
	u32 nr = (u32)ctx->nr;
	return nr < CALLS && ctx->ret < 0 ? call(nr, ctx->ret, false) : 0;
}

struct raw { u64 args[4]; };

SEC("raw_tracepoint/sched_process_exec")
int on_exec(struct raw *ctx) {
	struct task_struct *t = (void *)ctx->args[0];
	struct scratch *s = begin(SLOT_TASK, EV_EXEC, t, 0);
	u64 cgroup = cgroup_of(t);
	struct pid *pid = BPF_CORE_READ(t, thread_pid);
	if (cgroup > 1 && (BPF_CORE_READ(t, nsproxy, mnt_ns, ns.inum) != host_mount || BPF_CORE_READ(pid, level))) {
		u8 *seen = bpf_map_lookup_elem(&cgroups, &cgroup);
		if (!seen)
			group_is(cgroup, 2);
	}
	if (!s)
		return 0;
	put_process(s, t, true);
	struct file *f = BPF_CORE_READ(t, mm, exe_file);
	walk(s, BPF_CORE_READ(f, f_path.mnt), BPF_CORE_READ(f, f_path.dentry));
	put_path(s);
	struct fs_struct *fs = BPF_CORE_READ(t, fs);
	walk(s, BPF_CORE_READ(fs, pwd.mnt), BPF_CORE_READ(fs, pwd.dentry));
	put_path(s);
	struct linux_binprm *b = (void *)ctx->args[2];
	put_kernel_string(s, BPF_CORE_READ(b, filename));
	struct mm_struct *mm = BPF_CORE_READ(t, mm);
	u64 from = BPF_CORE_READ(mm, arg_start), to = BPF_CORE_READ(mm, arg_end);
	put_user(s, TAG_TEXT, (void *)from, to - from, NAME);
	from = BPF_CORE_READ(mm, env_start);
	to = BPF_CORE_READ(mm, env_end);
	put_user(s, TAG_TEXT, (void *)from, to - from, NAME);
	s->unsure = 3;
	finish(s, EV_EXEC);
	return 0;
}

SEC("raw_tracepoint/sched_process_fork")
int on_fork(struct raw *ctx) {
	struct task_struct *child = (void *)ctx->args[1];
	if (BPF_CORE_READ(child, pid) != BPF_CORE_READ(child, tgid))
		return 0;
	struct scratch *s = begin(SLOT_TASK, EV_FORK, child, 0);
	if (!s)
		return 0;
	put_process(s, child, false);
	s->unsure = 3;
	finish(s, EV_FORK);
	return 0;
}

SEC("raw_tracepoint/sched_process_exit")
int on_exit(struct raw *ctx) {
	struct task_struct *t = (void *)ctx->args[0];
	if (BPF_CORE_READ(t, signal, live.counter) != 0)
		return 0;
	struct scratch *s = begin(SLOT_TASK, EV_EXIT, t, 0);
	if (!s)
		return 0;
	u32 code = BPF_CORE_READ(t, exit_code);
	put_number(s, code);
	put_number(s, (code >> 8) & 0xff);
	put_number(s, code & 0x7f);
	put_number(s, (code >> 7) & 1);
	s->unsure = 3;
	finish(s, EV_EXIT);
	return 0;
}

static __always_inline bool hex(u8 c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'); }

/* digit looks at a byte of the record: 1: the text ends, 2: 64 hexadecimal digits in a row have been seen. */
__noinline int digit(u32 slot, u32 at) {
	struct scratch *s = room(slot);
	if (!s)
		return 1;
	u64 o = at;
	opaque(o);
	if (o >= ROOM + NAME)
		return 1;
	u8 c = s->rec[o];
	if (!c)
		return 1;
	s->run = hex(c) ? s->run + 1 : 0;
	return s->run == 64 ? 2 : 0;
}

/* has_id tells whether the path at s->rec[at] holds the id of a container. */
static __always_inline bool has_id(struct scratch *s, u32 at) {
	s->run = 0;
	for (u32 i = 0; i < 512; i++) {
		int seen = digit(s->slot, at + i);
		if (seen)
			return seen == 2;
	}
	return false;
}

static __always_inline int cgroup(struct raw *ctx, u32 event) {
	struct cgroup *g = (void *)ctx->args[0];
	if ((u32)BPF_CORE_READ(g, root, hierarchy_id) != v1_hierarchy)
		return 0;
	u64 id = BPF_CORE_READ(g, kn, id);
	struct task_struct *t = (void *)bpf_get_current_task();
	struct scratch *s = begin(SLOT_TASK, event, t, 0);
	if (!s)
		return 0;
	put_number(s, id);
	u64 at = here(s);
	put_kernel_string(s, (void *)ctx->args[1]);
	if (event == EV_CGROUP_GONE) {
		bpf_map_delete_elem(&cgroups, &id);
	} else if (at < ROOM && s->off > at + 3) {
		u64 end = at_most(s->off, ROOM + NAME);
		s->rec[end] = 0;
		if (has_id(s, at + 3))
			group_is(id, 1);
	}
	s->unsure = 3;
	finish(s, event);
	return 0;
}

SEC("raw_tracepoint/cgroup_mkdir")
int on_cgroup_made(struct raw *ctx) { return cgroup(ctx, EV_CGROUP_MADE); }

SEC("raw_tracepoint/cgroup_rmdir")
int on_cgroup_gone(struct raw *ctx) { return cgroup(ctx, EV_CGROUP_GONE); }

/* made_here tells whether the running thread sends the signal; timers send in the name of whoever runs. */
static __always_inline bool made_here(struct kernel_siginfo *info) {
	if ((u64)info <= 1) /* 0: a call; 1: the kernel */
		return !info;
	int code = BPF_CORE_READ(info, si_code);
	return code != SI_TIMER && code != SI_KERNEL;
}

SEC("raw_tracepoint/signal_generate")
int on_signal(struct raw *ctx) {
	s64 sig = ctx->args[0];
	struct task_struct *to = (void *)ctx->args[2], *t = (void *)bpf_get_current_task();
	bool here = made_here((void *)ctx->args[1]);
	if (!here)
		t = to;
	struct scratch *s = begin(SLOT_IRQ, EV_SIGNAL, t, 0);
	if (!s)
		return 0;
	put_number(s, here ? BPF_CORE_READ(t, tgid) : 0);
	put_number(s, BPF_CORE_READ(to, tgid));
	put_number(s, sig);
	s->unsure = 3;
	finish(s, EV_SIGNAL);
	return 0;
}

#if defined(__TARGET_ARCH_x86)
#define ROUNDING 0x6000 /* bits of MXCSR that say how numbers are rounded; 0: to the nearest, as all but a few programs have it */
#define LOOK 5000000000ull /* nanoseconds */
#define OFTEN 6 /* times within a look */

struct rounds { u64 since; u32 times, pad; };
MAP(rounding, BPF_MAP_TYPE_LRU_HASH, u64, struct rounds, 4096);

/* A thread leaves the processor and its numbers are put by: its control group is told of, once in a look, where that is often while
   they are rounded otherwise than all but a few programs do. */
SEC("raw_tracepoint/x86_fpu_regs_deactivated")
int on_rounding(struct raw *ctx) {
	if (!bpf_core_field_exists(((struct fpu *)0)->fpstate)) /* before 5.16 */
		return 0;
	struct fpstate *st = GET(struct fpu, (void *)ctx->args[0], fpstate);
	u32 mxcsr = GET(struct fpstate, st, regs.fxsave.mxcsr);
	if (!(mxcsr & ROUNDING))
		return 0;
	struct task_struct *t = (void *)bpf_get_current_task();
	u64 cgroup = cgroup_of(t), now = bpf_ktime_get_boot_ns();
	struct rounds *r = bpf_map_lookup_elem(&rounding, &cgroup);
	if (!r || now - r->since > LOOK) {
		struct rounds first = {.since = now, .times = 1};
		bpf_map_update_elem(&rounding, &cgroup, &first, BPF_ANY);
		return 0;
	}
	u32 times = r->times + 1; /* another processor may count the same: then it takes one more */
	r->times = times;
	if (times != OFTEN)
		return 0;
	struct scratch *s = begin(SLOT_TASK, EV_ROUNDING, t, 0);
	if (!s)
		return 0;
	put_number(s, mxcsr);
	put_number(s, OFTEN);
	s->unsure = 3;
	finish(s, EV_ROUNDING);
	return 0;
}
#endif

SEC("raw_tracepoint/io_uring_submit_req")
int on_iouring(struct raw *ctx) {
	struct io_kiocb *r = (void *)ctx->args[0];
	struct task_struct *t = (void *)bpf_get_current_task();
	struct scratch *s = begin(SLOT_TASK, EV_IOURING, t, 0);
	if (!s)
		return 0;
	put_number(s, BPF_CORE_READ(r, opcode));
	s32 fd = -1;
	if (bpf_core_field_exists(r->cqe.fd))
		fd = BPF_CORE_READ(r, cqe.fd);
	put_number(s, fd);
	if (fd >= 0 && !(BPF_CORE_READ(r, flags) & 1))
		put_fd(SLOT_TASK, fd, 0);
	put_number(s, BPF_CORE_READ(r, flags));
	s->unsure = 3;
	finish(s, EV_IOURING);
	return 0;
}

SEC("tracepoint/oom/mark_victim")
int on_oom(struct exit_args *ctx) {
	struct task_struct *t = (void *)bpf_get_current_task();
	struct scratch *s = begin(SLOT_IRQ, EV_OOM, t, 0);
	if (!s)
		return 0;
	put_number(s, (s32)ctx->nr);
	s->unsure = 3;
	finish(s, EV_OOM);
	return 0;
}
