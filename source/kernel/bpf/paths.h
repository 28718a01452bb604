/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/* What sets of paths a path is in: told apart by a few letters of it, or by all of it. */
#pragma once
#include "fd.h"
#include "process.h"

#define TRIE(name, keys, n)                                                                        \
	struct {                                                                                   \
		__uint(type, BPF_MAP_TYPE_LPM_TRIE);                                               \
		__uint(max_entries, n);                                                            \
		__uint(map_flags, BPF_F_NO_PREALLOC);                                              \
		__type(key, keys);                                                                 \
		__type(value, u64);                                                                \
	} name SEC(".maps")

struct pathkey { u32 bits; u8 text[64]; };
TRIE(paths, struct pathkey, 8192);
TRIE(ends, struct pathkey, 8192);

/* Sets of paths by a few bytes of their texts, which most paths are told from by: heads by the first two, behind the stroke that
   most begin with; firsts the same of those that have less than two bytes of a second name; seconds, of the others, by the first eight
   bytes of the first name and two of the second; tails by the last four. A text that is all of a path has to agree with its
   beginning and its end. */
struct sets { u64 part, whole; };
MAP(heads, BPF_MAP_TYPE_ARRAY, u32, struct sets, 4096);
MAP(firsts, BPF_MAP_TYPE_ARRAY, u32, struct sets, 4096);
MAP(seconds, BPF_MAP_TYPE_ARRAY, u32, struct sets, 4096);
MAP(tails, BPF_MAP_TYPE_ARRAY, u32, struct sets, 4096);

static __always_inline struct sets *by_two(void *map, u8 a, u8 b) {
	u32 key = (a & 63) | (b & 63) << 6;
	return bpf_map_lookup_elem(map, &key);
}

/* by_hash: the multipliers are those of Knuth, "The Art of Computer Programming" 6.4. */
static __always_inline struct sets *by_hash(void *map, u64 x) {
	u32 key = (x * 0x9e3779b97f4a7c15ull) >> 52;
	return bpf_map_lookup_elem(map, &key);
}

static __always_inline u64 two_names(u64 first, u16 second) { return first ^ (u64)second << 48 ^ (u64)second << 13; }

const volatile u64 climbs;     /* sets of paths that are met only where the text that was given climbs */
const volatile u64 given;      /* those that are about that text, also where it is known what was opened */
const volatile u64 deep;       /* those of them that are not told apart by how texts begin */
const volatile u64 everywhere; /* those that any path may be in */
const volatile u64 having;     /* those that a path may be in which has the mark in one of its names */
const volatile u8 mark;

/* match_path adds the sets that the last text of the record is in. What stands before and behind the text can at most
   add sets that it is not in. */
__noinline int match_path(u32 slot, u32 at, u32 len) {
	struct scratch *s = room(slot);
	if (!s)
		return 0;
	u64 from = at, end = (u64)at + len;
	opaque(from);
	opaque(end);
	if (from > ROOM + 64 || end < 32 || end > ROOM + NAME + 64)
		return 0;
	s->rec[end] = 0;
	u64 first = from + (s->rec[from] == '/');
	opaque(first);
	if (first > ROOM + 65)
		return 0;
	struct sets *head = by_two(&heads, s->rec[first], s->rec[first + 1]), *tail = by_hash(&tails, *(u32 *)&s->rec[end - 4]);
	if (!head || !tail)
		return 0;
	if ((head->part | (head->whole & tail->whole)) & s->asked) {
		struct pathkey k = {.bits = 64 * 8};
		bpf_probe_read_kernel(k.text, 64, &s->rec[from]);
		u64 *sets = bpf_map_lookup_elem(&paths, &k);
		if (sets)
			s->paths |= *sets;
	}
	if (tail->part & s->asked) {
		struct pathkey r = {.bits = 32 * 8};
		u8 tail[32];
		bpf_probe_read_kernel(tail, 32, &s->rec[end - 32]);
#pragma unroll
		for (u32 i = 0; i < 32; i++)
			r.text[i] = tail[31 - i];
		u64 *sets = bpf_map_lookup_elem(&ends, &r);
		if (sets)
			s->paths |= *sets;
	}
	return 0;
}

#define EACH(c) (0x0101010101010101ull * (c))
#define WORDS 12

/* zeros gives 0x80 for each byte of x that is zero, and 0 for others. */
static __always_inline u64 zeros(u64 x) { return ~(((x & EACH(0x7f)) + EACH(0x7f)) | x | EACH(0x7f)); }

/* climbing tells whether a text that the caller gave may have "../" in it: whether it has two dots in a row, or is too
   long to be looked through. */
__noinline int climbing(u32 slot, u32 at, u32 len) {
	struct scratch *s = room(slot);
	if (!s || len > 512)
		return 1;
	u64 last = 0;
	for (u32 i = 0; i < 64; i++) {
		u32 n = 8 * i;
		if (n >= len)
			break;
		u64 o = (u64)at + n;
		opaque(o);
		if (o > ROOM + NAME)
			return 1;
		u64 dots = zeros(*(u64 *)&s->rec[o] ^ EACH('.'));
		if (len - n < 8)
			dots &= (1ull << (8 * (len - n))) - 1;
		if (dots & (dots << 8 | last))
			return 1;
		last = dots >> 56;
	}
	return 0;
}

/* asked_text tells of the text that the caller gave whether a set may be met that is about it (1), or it climbs (2). */
static __always_inline u32 asked_text(struct scratch *s, u32 gives) {
	u64 about = s->asked & given, text[WORDS]; /* one that does not end within them is left to those who look at all of it */
	if (gives > 6)
		return 0;
	if ((about & deep) || bpf_probe_read_user(text, sizeof(text), (void *)s->arg[(gives - 1) & 7]))
		return 3;
	u64 last = 0, end = 0;
	u32 is = 0;
#pragma unroll
	for (u32 i = 0; i < WORDS; i++) {
		u64 dots = zeros(text[i] ^ EACH('.'));
		end = zeros(text[i]);
		dots &= end - 1; /* those before it */
		if (dots & (dots << 8 | last))
			is = 2;
		if (end)
			break;
		last = dots >> 56;
	}
	if (!end)
		return 3;
	u8 a = text[0], b = text[0] >> 8, c = text[0] >> 16;
	struct sets *may = a == '/' ? by_two(&heads, b, c) : by_two(&heads, a, b);
	return is | (!may || ((may->part | may->whole) & about));
}

/* long_marked is marked for a name of more than 16 bytes, which is at s->name; one of more than 32 may. A function of its own: the
   verifier looks at it once. */
__noinline int long_marked(struct scratch *s, u32 len) {
	if (!s || len > 32)
		return 1;
	const u8 *text = (void *)s->name;
	u64 seen = zeros(letters(text) ^ EACH(mark)) | zeros(letters(text + 8) ^ EACH(mark)) | zeros(letters(text + len - 8) ^ EACH(mark));
	if (len > 24)
		seen |= zeros(letters(text + 16) ^ EACH(mark));
	return seen != 0;
}

/* marked tells whether a name may have the mark in it. */
static __always_inline bool marked(struct scratch *s, const u8 *text, u32 len) {
	if (len > 16) {
		s->name = (u64)text;
		return long_marked(s, len);
	}
	u64 x = letters(text), seen = zeros(x ^ EACH(mark)) & (zeros(x) - 1);
	if (len > 8)
		seen |= zeros(letters(text + len - 8) ^ EACH(mark));
	return seen;
}

/* glance tells from a few letters of the path of what a call gave whether a condition may be met by it. It takes a tenth of a
   record. That names change while it looks is as if they had before or after. */
__noinline int glance(struct scratch *s, int fd, u32 gives) {
	if (!s)
		return 1;
	struct task_struct *t = running();
	u32 text = s->asked & given ? asked_text(s, gives) : 0;
	if (text & 1)
		return 1;
	struct file *f = file_of(t, fd);
	if (!f)
		return 1;
	struct dentry *root = t->fs->root.dentry, *d = GET(struct file, f, f_path.dentry), *name = 0, *under = 0;
	struct vfsmount *rootmnt = t->fs->root.mnt, *m = GET(struct file, f, f_path.mnt);
	struct dentry *top = GET(struct vfsmount, m, mnt_root);
	struct sets *head, *tail;
	u64 first, part = everywhere, whole;
	u32 len, last = 0;
	for (u32 i = 0; i < 24; i++) {
		if (d == root && m == rootmnt)
			goto up;
		if (d == top) {
			struct mount *mt = (void *)m - bpf_core_field_offset(struct mount, mnt), *over = GET(struct mount, mt, mnt_parent);
			if (over == mt || !over)
				return 1;
			d = GET(struct mount, mt, mnt_mountpoint);
			m = (void *)over + bpf_core_field_offset(struct mount, mnt);
			top = GET(struct vfsmount, m, mnt_root);
			continue;
		}
		const u8 *letter = GET(struct dentry, d, d_name.name);
		len = GET(struct dentry, d, d_name.len);
		if (!name) {
			if (len < 3)
				return 1;
			last = len == 3 ? '/' | (u32)letters(letter) << 8 : letters(letter + len - 4);
		}
		if (having && marked(s, letter, len))
			part |= having;
		under = name;
		name = d;
		d = GET(struct dentry, d, d_parent);
		if (d == name)
			return 1;
	}
	return 1;
up:
	if (!name)
		return 1;
	first = letters(GET(struct dentry, name, d_name.name));
	tail = by_hash(&tails, last);
	head = by_two(&firsts, first, first >> 8);
	if (!tail || !head)
		return 1;
	part |= head->part | tail->part;
	whole = head->whole;
	if (under) {
		len = GET(struct dentry, name, d_name.len);
		if (len < 8)
			first &= (1ull << (8 * (len & 7))) - 1;
		head = by_hash(&seconds, two_names(first, letters(GET(struct dentry, under, d_name.name))));
		if (!head)
			return 1;
		part |= head->part;
		whole |= head->whole;
	}
	whole &= tail->whole & s->asked;
	if (whole & ~(climbs | given)) {
		s->need = 0; /* most of a text that is all of a path was looked at: the rest would be no news but to one in thousands */
		return 1;
	}
	part = (part & s->asked) | whole;
	if (!(part & climbs))
		return part != 0;
	return (part & ~climbs) || ((s->asked & given ? text : asked_text(s, gives)) & 2);
}
