/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/* Paths from the kernel's own objects, and the parts of a record. */
#pragma once
#include "sensor.h"

MAP(scratches, BPF_MAP_TYPE_PERCPU_ARRAY, u32, struct scratch, SLOTS);

#define OVERLAY 0x794c7630

static __always_inline struct scratch *room(u32 slot) { return bpf_map_lookup_elem(&scratches, &slot); }

extern void *bpf_rdonly_cast(const void *object, u32 type) __ksym __weak;

/* GET is a field of an object at an address that may be anything: read in place where the kernel lets programs do so (6.2), which
   takes a tenth of copying it. */
#define GET(type, object, field)                                                                   \
	({                                                                                         \
		__typeof__(((type *)0)->field) v_;                                                 \
		const void *o_ = (object);                                                         \
		if (bpf_rdonly_cast)                                                               \
			v_ = ((type *)bpf_rdonly_cast(o_, bpf_core_type_id_kernel(type)))->field;  \
		else                                                                               \
			v_ = BPF_CORE_READ((type *)o_, field);                                     \
		v_;                                                                                \
	})

/* letters are the eight bytes at an address. */
static __always_inline u64 letters(const void *at) { return GET(struct timespec64, at, tv_sec); }

/* untrusted is the same task: of one that the verifier trusts it looks in all of the kernel's types, for each pointer that is
   followed, whether to trust that, too, which was a third of a start. */
static __always_inline struct task_struct *untrusted(struct task_struct *t) {
	return bpf_rdonly_cast ? bpf_rdonly_cast(t, bpf_core_type_id_kernel(struct task_struct)) : t;
}

/* running is the thread that runs: its fields need no copying. Asking for it takes as long as ten of them. */
static __always_inline struct task_struct *running(void) { return untrusted(bpf_get_current_task_btf()); }

/* step goes up by one name; true: the top is reached. */
static __always_inline bool step(struct scratch *s) {
	struct dentry *d = s->w.dentry;
	struct vfsmount *m = s->w.mnt;
	if (d == s->w.rootdentry && m == s->w.rootmnt)
		return true;
	if (d == s->w.top) {
		struct mount *mt = (void *)m - bpf_core_field_offset(struct mount, mnt);
		struct mount *over = GET(struct mount, mt, mnt_parent);
		if (over == mt || !over) {
			s->w.outside = 1;
			return true;
		}
		s->w.dentry = GET(struct mount, mt, mnt_mountpoint);
		s->w.mnt = (void *)over + bpf_core_field_offset(struct mount, mnt);
		s->w.top = GET(struct mount, over, mnt.mnt_root);
		return false;
	}
	struct dentry *up = GET(struct dentry, d, d_parent);
	u64 len = at_most(GET(struct dentry, d, d_name.len), 255), at = s->w.at;
	const u8 *name = GET(struct dentry, d, d_name.name);
	opaque(at);
	if (at > NAME || at < len + 1) {
		s->w.cut = 1;
		return true;
	}
	bool narrow = at < 8;
	u64 last = (at - 8) & (NAME - 1); /* where the last eight bytes go */
	at -= len + 1;
	opaque(at);
	at &= NAME - 1;
	if (len > 16 || narrow) {
		bpf_probe_read_kernel(&s->path[at + 1], len, name);
	} else if (len > 8) {
		*(u64 *)&s->path[at + 1] = letters(name);
		*(u64 *)&s->path[last] = letters(name + len - 8);
	} else {
		*(u64 *)&s->path[last] = letters(name) << ((64 - 8 * len) & 63); /* what stands before the name is not written yet */
	}
	s->path[at] = '/';
	s->w.at = at;
	s->w.dentry = up;
	if (d != up && up)
		return false;
	s->w.outside = 1; /* it hangs nowhere: memory, a descriptor of an event */
	return true;
}

/* climb takes some steps; 1: the top is reached. It is a function of its own so that the verifier looks at it once. */
__noinline int climb(u32 slot) {
	struct scratch *s = room(slot);
	if (!s)
		return 1;
	for (int i = 0; i < 32; i++) {
		if (step(s))
			return 1;
	}
	return 0;
}

/* walk writes the path of (mnt, dentry), seen from the thread's root, to the end of s->path. */
static __always_inline void walk(struct scratch *s, struct vfsmount *mnt, struct dentry *dentry) {
	struct task_struct *task = running();
	s->w.dentry = dentry;
	s->w.mnt = mnt;
	s->w.top = GET(struct vfsmount, mnt, mnt_root);
	s->w.rootdentry = task->fs->root.dentry;
	s->w.rootmnt = task->fs->root.mnt;
	s->w.at = NAME;
	s->w.outside = s->w.cut = 0;
	s->path[NAME] = 0;
	int done = 0;
	for (int i = 0; i < 66 && !done; i++)
		done = climb(s->slot);
	if (!done)
		s->w.cut = 1;
	if (s->w.at == NAME) {
		s->path[NAME - 1] = '/';
		s->w.at = NAME - 1;
	}
}

/* copy_path copies the path that walk wrote to a place in the record. */
static __always_inline void copy_path(struct scratch *s, u64 to, u64 n) {
	u64 from = s->w.at & (NAME - 1);
	if (to > ROOM + 64)
		return;
	if (n > 64) {
		bpf_probe_read_kernel(&s->rec[to], n, &s->path[from]);
		return;
	}
	for (u32 i = 0; i < 64 && i < n; i += 8) /* a call takes as long as ten of these */
		*(u64 *)&s->rec[to + i] = *(u64 *)&s->path[from + i];
}

/* here is where the next part of the record goes. */
static __always_inline u64 here(struct scratch *s) {
	u64 o = s->off;
	opaque(o);
	return o;
}

static __always_inline u32 walked(struct scratch *s) { return s->w.at <= NAME ? NAME - s->w.at : 0; }

static __always_inline void put_none(struct scratch *s) {
	u64 o = here(s);
	if (o >= ROOM)
		return;
	s->rec[o] = TAG_NONE;
	s->off = o + 1;
}

static __always_inline void put_number(struct scratch *s, s64 n) {
	u64 o = here(s);
	if (o >= ROOM)
		return;
	s->rec[o] = TAG_NUMBER;
	*(s64 *)&s->rec[o + 1] = n;
	s->off = o + 9;
}

static __always_inline void text_head(struct scratch *s, u64 o, u8 tag, u16 len) {
	s->rec[o] = tag;
	*(u16 *)&s->rec[o + 1] = len;
	s->off = o + 3 + len;
}

/* put_string adds a text of the thread's memory. */
static __always_inline void put_string(struct scratch *s, const void *user) {
	u64 o = here(s);
	if (o >= ROOM)
		return;
	long n = user ? bpf_probe_read_user_str(&s->rec[o + 3], NAME, user) : -1;
	if (n <= 0 || n > NAME) {
		put_none(s);
		return;
	}
	text_head(s, o, TAG_TEXT, n - 1);
}

static __always_inline void put_kernel_string(struct scratch *s, const void *text) {
	u64 o = here(s);
	if (o >= ROOM)
		return;
	long n = text ? bpf_probe_read_kernel_str(&s->rec[o + 3], NAME, text) : -1;
	if (n <= 0 || n > NAME) {
		put_none(s);
		return;
	}
	text_head(s, o, TAG_TEXT, n - 1);
}

/* put_user adds bytes of the thread's memory: all of them, or those up to the page's end where the rest is not there. */
static __always_inline void put_user(struct scratch *s, u8 tag, const void *user, u64 len, u32 most) {
	u64 o = here(s);
	if (o >= ROOM)
		return;
	u64 n = at_most(len, most);
	if (!user || bpf_probe_read_user(&s->rec[o + 3], n, user)) {
		u64 page = 4096 - ((u64)user & 4095);
		n = at_most(n < page ? n : page, most);
		if (!user || bpf_probe_read_user(&s->rec[o + 3], n, user)) {
			put_none(s);
			return;
		}
	}
	text_head(s, o, tag, n);
}

/* put_path adds what walk found. */
static __always_inline u32 put_path(struct scratch *s) {
	u64 o = here(s);
	u64 n = at_most(walked(s), NAME);
	if (o >= ROOM)
		return 0;
	copy_path(s, o + 3, n);
	text_head(s, o, TAG_TEXT, n);
	return n;
}

static __always_inline u64 upper(struct inode *inode) {
	u64 p = 0;
	bpf_probe_read_kernel(&p, sizeof(p), (void *)inode + bpf_core_type_size(struct inode));
	return p;
}

static __always_inline struct file *file_of(struct task_struct *task, int fd) {
	if (fd < 0 || (u32)fd >= task->files->fdt->max_fds)
		return 0;
	return (void *)GET(struct hlist_head, task->files->fdt->fd + fd, first);
}
