/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/* What is known of a process. */
#pragma once
#include "walk.h"

/* What is known of cgroups: 1: the path has the id of a container; 2: a thread with other namespaces than the node's ran there. */
MAP(cgroups, BPF_MAP_TYPE_LRU_HASH, u64, u8, 16384);

volatile u32 known = 1; /* grows when more is known of a control group */

static __always_inline void group_is(u64 cgroup, u8 what) {
	bpf_map_update_elem(&cgroups, &cgroup, &what, BPF_ANY);
	__sync_fetch_and_add(&known, 1);
}

/* Where control groups are of the first version: the hierarchy that counts, and the place of its controller, from 1. */
const volatile u32 host_mount, v1_subsystem, v1_hierarchy;

static __always_inline u64 started(struct task_struct *t) {
	struct task_struct *lead = BPF_CORE_READ(t, group_leader);
	if (bpf_core_field_exists(t->start_boottime))
		return BPF_CORE_READ(lead, start_boottime);
	return BPF_CORE_READ((struct task_struct___old *)lead, real_start_time);
}

static __always_inline u64 cgroup_of(struct task_struct *t) {
	struct css_set *set = GET(struct task_struct, t, cgroups);
	struct cgroup *in = 0;
	if (v1_subsystem) {
		struct cgroup_subsys_state *css = (void *)GET(struct hlist_head, &set->subsys[(v1_subsystem - 1) & 15], first);
		in = GET(struct cgroup_subsys_state, css, cgroup);
	} else {
		in = GET(struct css_set, set, dfl_cgrp);
	}
	struct kernfs_node *kn = GET(struct cgroup, in, kn);
	return GET(struct kernfs_node, kn, id);
}

/* cgroup_now and started_now are those of the running thread. */
static __always_inline u64 cgroup_now(struct task_struct *t) {
	return v1_subsystem ? cgroup_of(t) : t->cgroups->dfl_cgrp->kn->id;
}

static __always_inline u64 started_now(struct task_struct *t) {
	if (bpf_core_field_exists(t->start_boottime))
		return t->group_leader->start_boottime;
	return started(t);
}

static __always_inline int pid_in(struct pid *p) {
	unsigned level = BPF_CORE_READ(p, level);
	struct upid u = {};
	if (level > 32)
		return 0;
	bpf_core_read(&u.nr, sizeof(u.nr), &p->numbers[0].nr);
	int nr = 0;
	void *first = (void *)p + bpf_core_field_offset(struct pid, numbers);
	bpf_probe_read_kernel(&nr, sizeof(nr), first + level * bpf_core_type_size(struct upid));
	return nr;
}

static __always_inline int pid_out(struct pid *p) {
	int nr = 0;
	bpf_probe_read_kernel(&nr, sizeof(nr), (void *)p + bpf_core_field_offset(struct pid, numbers));
	return nr;
}

static __always_inline u64 caps(const void *at) { return letters(at); }

/* whereabouts tells where the running thread surely is: 1: in a container; -1: on the node itself; 0: it is not sure. What is known
   of its control group is kept for the next thread on this processor, until more is known of any. */
static __always_inline int whereabouts(struct scratch *s, struct task_struct *t) {
	u64 cgroup = cgroup_now(t);
	u32 now = known;
	if (s->group != cgroup || s->known != now) {
		u8 *seen = cgroup > 1 ? bpf_map_lookup_elem(&cgroups, &cgroup) : 0;
		s->where = seen && *seen ? *seen & 1 : -1;
		s->group = cgroup;
		s->known = now;
	}
	if (s->where >= 0)
		return s->where;
	return t->nsproxy && t->nsproxy->mnt_ns->ns.inum == host_mount && t->thread_pid->level == 0 ? -1 : 0;
}

static __always_inline void times(struct inode *i, struct procpart *p) {
	if (bpf_core_field_exists(i->i_ctime_sec)) {
		p->ctime = BPF_CORE_READ(i, i_ctime_sec) * 1000000000ll + (BPF_CORE_READ(i, i_ctime_nsec) & 0x7fffffff); /* the top bit is a mark */
		p->mtime = BPF_CORE_READ(i, i_mtime_sec) * 1000000000ll + BPF_CORE_READ(i, i_mtime_nsec);
		return;
	}
	struct inode___uts *u = (void *)i;
	if (bpf_core_field_exists(u->__i_ctime)) {
		p->ctime = BPF_CORE_READ(u, __i_ctime.tv_sec) * 1000000000ll + BPF_CORE_READ(u, __i_ctime.tv_nsec);
	} else {
		struct inode___ts *ts = (void *)i;
		p->ctime = BPF_CORE_READ(ts, i_ctime.tv_sec) * 1000000000ll + BPF_CORE_READ(ts, i_ctime.tv_nsec);
	}
	if (bpf_core_field_exists(u->__i_mtime)) {
		p->mtime = BPF_CORE_READ(u, __i_mtime.tv_sec) * 1000000000ll + BPF_CORE_READ(u, __i_mtime.tv_nsec);
	} else {
		struct inode___ts *ts = (void *)i;
		p->mtime = BPF_CORE_READ(ts, i_mtime.tv_sec) * 1000000000ll + BPF_CORE_READ(ts, i_mtime.tv_nsec);
	}
}

/* describe tells of a process what does not depend on the file that it executes. */
static __always_inline void describe(struct procpart *p, struct task_struct *t) {
	__builtin_memset(p, 0, sizeof(*p));
	p->tag = TAG_PROCESS;
	p->pid = BPF_CORE_READ(t, tgid);
	p->start = started(t);
	p->ppid = BPF_CORE_READ(t, real_parent, tgid);
	struct signal_struct *sig = BPF_CORE_READ(t, signal);
	struct pid *pid = BPF_CORE_READ(t, group_leader, thread_pid), *group = 0, *session = 0;
	bpf_core_read(&group, sizeof(group), &sig->pids[2]);
	bpf_core_read(&session, sizeof(session), &sig->pids[3]);
	p->vpid = pid_in(pid);
	p->vtid = pid_in(BPF_CORE_READ(t, thread_pid));
	p->pgid = pid_out(group);
	p->sid = pid_out(session);
	p->vpgid = pid_in(group);
	p->vsid = pid_in(session);
	const struct cred *c = BPF_CORE_READ(t, cred);
	p->uid = BPF_CORE_READ(c, euid.val);
	p->gid = BPF_CORE_READ(c, egid.val);
	p->login = -1;
	if (bpf_core_field_exists(t->loginuid))
		p->login = BPF_CORE_READ(t, loginuid.val);
	struct tty_struct *tty = BPF_CORE_READ(sig, tty);
	if (tty) {
		u32 major = BPF_CORE_READ(tty, driver, major), minor = BPF_CORE_READ(tty, driver, minor_start) + BPF_CORE_READ(tty, index);
		p->tty = (minor & 0xff) | (major << 8) | ((minor & ~0xff) << 12);
	}
	struct nsproxy *ns = BPF_CORE_READ(t, nsproxy);
	struct pid_namespace *in = 0;
	u32 level = BPF_CORE_READ(pid, level);
	if (level <= 32)
		bpf_probe_read_kernel(&in, sizeof(in), (void *)pid + bpf_core_field_offset(struct pid, numbers) +
			level * bpf_core_type_size(struct upid) + bpf_core_field_offset(struct upid, ns));
	p->ns[0] = BPF_CORE_READ(ns, cgroup_ns, ns.inum);
	p->ns[1] = BPF_CORE_READ(ns, ipc_ns, ns.inum);
	p->ns[2] = BPF_CORE_READ(ns, mnt_ns, ns.inum);
	p->ns[3] = BPF_CORE_READ(ns, net_ns, ns.inum);
	p->ns[4] = BPF_CORE_READ(in, ns.inum);
	p->ns[5] = BPF_CORE_READ(c, user_ns, ns.inum);
	p->ns[6] = BPF_CORE_READ(ns, uts_ns, ns.inum);
	p->caps[0] = caps(&c->cap_inheritable);
	p->caps[1] = caps(&c->cap_permitted);
	p->caps[2] = caps(&c->cap_effective);
	BPF_CORE_READ_INTO(&p->comm, t, comm);
}

/* describe_file tells of the file that a process executes; threads of the kernel have none. */
static __always_inline void describe_file(struct procpart *p, struct task_struct *t) {
	struct file *f = BPF_CORE_READ(t, mm, exe_file);
	if (!f)
		return;
	struct inode *i = BPF_CORE_READ(f, f_inode);
	struct super_block *sb = BPF_CORE_READ(i, i_sb);
	p->flags = PROC_FILE;
	p->ino = BPF_CORE_READ(i, i_ino);
	p->dev = BPF_CORE_READ(sb, s_dev);
	p->magic = BPF_CORE_READ(sb, s_magic);
	p->mode = BPF_CORE_READ(i, i_mode);
	p->owner = BPF_CORE_READ(i, i_uid.val);
	p->group = BPF_CORE_READ(i, i_gid.val);
	p->links = BPF_CORE_READ(i, i_nlink);
	times(i, p);
	if (p->magic == OVERLAY)
		p->flags |= upper(i) ? PROC_UPPER : PROC_LOWER;
}

/* put_process adds what is known of t: of a thread that is being made, or of the one that runs. */
static __always_inline void put_process(struct scratch *s, struct task_struct *t, bool exec) {
	u64 o = here(s);
	if (o >= ROOM)
		return;
	struct procpart *p = (void *)&s->rec[o];
	describe(p, t);
	s->off = o + sizeof(*p);
	if (!exec)
		return;
	describe_file(p, t);
	for (int n = 0; n < 3; n++) {
		struct file *std = file_of(running(), n);
		if (!std)
			continue;
		p->stdmode[n] = BPF_CORE_READ(std, f_inode, i_mode);
		p->stdmagic[n] = BPF_CORE_READ(std, f_inode, i_sb, s_magic);
		if ((p->stdmode[n] & 0170000) == 0140000) {
			struct socket *sock = BPF_CORE_READ(std, private_data);
			p->stdmagic[n] = BPF_CORE_READ(sock, sk, __sk_common.skc_family);
		}
	}
}
