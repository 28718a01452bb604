/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/* What is wanted: conditions on events, asked in two rounds: what is at hand first, then paths and addresses. */
#pragma once
#include "fd.h"
#include "process.h"

struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 1 << 22);
} critical SEC(".maps"), volume SEC(".maps");

MAP(calls, BPF_MAP_TYPE_ARRAY, u32, struct call, EVENTS);
MAP(counts, BPF_MAP_TYPE_PERCPU_ARRAY, u32, u64, CLASSES * COUNTS);
MAP(ports, BPF_MAP_TYPE_HASH, u16, u64, 4096);

struct pathkey { u32 bits; u8 text[64]; };
struct netkey { u32 bits; u8 addr[16]; };

#define TRIE(name, keys, n)                                                                        \
	struct {                                                                                   \
		__uint(type, BPF_MAP_TYPE_LPM_TRIE);                                               \
		__uint(max_entries, n);                                                            \
		__uint(map_flags, BPF_F_NO_PREALLOC);                                              \
		__type(key, keys);                                                                 \
		__type(value, u64);                                                                \
	} name SEC(".maps")

TRIE(paths, struct pathkey, 8192);
TRIE(ends, struct pathkey, 8192);
TRIE(nets, struct netkey, 4096);

const volatile u32 own; /* process that is not looked at */

/* count adds to a counter: interrupts, and what takes the processor from a program of packets, do so as well. */
static __always_inline void count(u32 class, u32 what) {
	u32 key = class * COUNTS + what;
	u64 *n = bpf_map_lookup_elem(&counts, &key);
	if (n)
		__sync_fetch_and_add(n, 1);
}

volatile u32 asleep; /* the reader says that it does not come by itself */

/* wakeup has the reader of the volume ring woken where it sleeps, and each time that another 64 KB are in it with a record of that
   length: else it comes by itself within milliseconds, and waking it takes longer than all else. */
static __always_inline u64 wakeup(u64 len) {
	if (asleep) {
		asleep = 0;
		return BPF_RB_FORCE_WAKEUP;
	}
	u64 held = bpf_ringbuf_query(&volume, BPF_RB_AVAIL_DATA);
	return held >> 16 != (held + len + 8) >> 16 ? BPF_RB_FORCE_WAKEUP : BPF_RB_NO_WAKEUP;
}

/* Sets of paths by what the first and last two bytes of their texts are, which most paths are told from by. */
MAP(heads, BPF_MAP_TYPE_ARRAY, u32, u64, 4096);
MAP(tails, BPF_MAP_TYPE_ARRAY, u32, u64, 4096);

static __always_inline u64 *pair(void *map, u8 a, u8 b) {
	u32 key = (a & 63) | (b & 63) << 6;
	return bpf_map_lookup_elem(map, &key);
}

static __always_inline u32 refuted(struct call *c, u32 fact) { return c->refuted[fact]; }

/* flags_meet leaves in s->alive the conditions whose flags are set. */
__noinline int flags_meet(u32 slot, u32 event) {
	struct scratch *s = room(slot);
	struct call *c = bpf_map_lookup_elem(&calls, &event);
	if (!s || !c)
		return 0;
	u32 out = 0;
	for (u32 i = 0; i < CONDS; i++) {
		struct cond *w = &c->cond[i];
		if (!(c->flagged & (1 << i)))
			continue;
		if (w->nflags > 0 && !(s->arg[w->flag[0] & 7] & w->any[0]))
			out |= 1 << i;
		if (w->nflags > 1 && !(s->arg[w->flag[1] & 7] & w->any[1]))
			out |= 1 << i;
	}
	s->alive &= ~out;
	return 0;
}

/* asked_for gives the sets of paths that conditions ask for. */
static __always_inline u64 asked_for(struct call *c, u32 alive) {
	u64 asked = 0;
#pragma unroll
	for (u32 i = 0; i < CONDS; i++)
		asked |= c->cond[i].paths & -(u64)(alive >> i & 1);
	return asked;
}

/* near leaves in s->alive the conditions that may be met as far as can be told without paths and addresses; false: none. */
static __always_inline bool near(struct scratch *s, struct call *c, u32 slot, u32 event) {
	s->need = 0;
	u32 alive = c->conds;
	if (!alive)
		return true;
	if (s->ret != -115) /* a connection that is being made neither failed nor did it not */
		alive &= ~refuted(c, s->ret < 0 && s->ret >= -4095 ? FAILED : WORKED);
	if (c->open >= 1 && c->open <= 6) {
		u64 mode = s->arg[(c->open - 1) & 7] & 3;
		if (mode != 3)
			alive &= ~refuted(c, mode ? WRITES : READS);
	} else if (c->open == 7) {
		alive &= ~refuted(c, WRITES);
	}
	if (alive & (refuted(c, INSIDE) | refuted(c, HOST))) {
		int where = whereabouts();
		if (where)
			alive &= ~refuted(c, where > 0 ? INSIDE : HOST);
	}
	s->alive = alive;
	if (alive & c->flagged) {
		flags_meet(slot, event);
		alive = s->alive;
	}
	if (!alive)
		return false;
	s->need = !(alive & c->plain);
	s->asked = s->need ? asked_for(c, alive) : 0;
	return true;
}

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
	u64 *may = pair(&heads, s->rec[from], s->rec[from + 1]);
	if (may && (*may & s->asked)) {
		struct pathkey k = {.bits = 64 * 8};
		bpf_probe_read_kernel(k.text, 64, &s->rec[from]);
		u64 *sets = bpf_map_lookup_elem(&paths, &k);
		if (sets)
			s->paths |= *sets;
	}
	may = pair(&tails, s->rec[end - 1], s->rec[end - 2]);
	if (may && (*may & s->asked)) {
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

const volatile u64 climbs; /* sets of paths that are met by what climbs */

#define EACH(c) (0x0101010101010101ull * (c))

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
		u64 x = *(u64 *)&s->rec[o] ^ EACH('.');
		u64 dots = ~(((x & EACH(0x7f)) + EACH(0x7f)) | x | EACH(0x7f)); /* 0x80 where x is zero */
		if (len - n < 8)
			dots &= (1ull << (8 * (len - n))) - 1;
		if (dots & (dots << 8 | last))
			return 1;
		last = dots >> 56;
	}
	return 0;
}

/* wanted tells whether any condition that near left is met. */
static __always_inline bool wanted(struct scratch *s, u32 event) {
	if (!s->need)
		return true;
	struct call *c = bpf_map_lookup_elem(&calls, &event);
	if (!c)
		return false;
	if (s->far) {
		u16 port = s->rport;
		u64 *sets = bpf_map_lookup_elem(&ports, &port);
		if (sets)
			s->ports |= *sets;
		struct netkey k = {.bits = 128};
		__builtin_memcpy(k.addr, s->addr, 16);
		sets = bpf_map_lookup_elem(&nets, &k);
		if (sets)
			s->nets |= *sets;
	}
	if (s->unsure & 1)
		s->paths = ~0ull;
	if (s->unsure & 2)
		s->ports = s->nets = ~0ull;
	for (u32 i = 0; i < CONDS; i++) {
		struct cond *w = &c->cond[i];
		if (!(s->alive & (1 << i)))
			continue;
		if ((!w->paths || (w->paths & s->paths)) && (!w->ports || (w->ports & s->ports)) && (!w->nets || (w->nets & s->nets)))
			return true;
	}
	return false;
}
