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

/* wakeup has the reader of the volume ring woken when much is in it: it comes by itself every few milliseconds. */
static __always_inline u64 wakeup(void) {
	return bpf_ringbuf_query(&volume, BPF_RB_AVAIL_DATA) > 65536 ? BPF_RB_FORCE_WAKEUP : BPF_RB_NO_WAKEUP;
}

/* What is known before paths and addresses are: of each question whether the answer surely is yes, or surely no. */
enum { INSIDE = 1, HOST = 2, FAILED = 4, WORKED = 8, WRITES = 16, READS = 32 };

static __always_inline bool refuted(u8 ask, u32 facts, u32 yes, u32 no) {
	return (ask == 1 && (facts & no)) || (ask == 2 && (facts & yes));
}

/* may tells of one condition: 0: it is not met; 1: it is; 3: it depends on paths and addresses. */
__noinline int may(u32 slot, u32 event, u32 i, u32 facts) {
	struct scratch *s = room(slot);
	struct call *c = bpf_map_lookup_elem(&calls, &event);
	if (!s || !c)
		return 0;
	struct cond *w = &c->cond[i & (CONDS - 1)];
	if (refuted(w->container, facts, INSIDE, HOST) || refuted(w->failed, facts, FAILED, WORKED) || refuted(w->write, facts, WRITES, READS))
		return 0;
	if (w->nflags > 0 && !(s->arg[w->flag[0] & 7] & w->any[0]))
		return 0;
	if (w->nflags > 1 && !(s->arg[w->flag[1] & 7] & w->any[1]))
		return 0;
	return w->paths | w->ports | w->nets ? 3 : 1;
}

/* near leaves in s->alive the conditions that may be met as far as can be told without paths and addresses; 0: none. */
__noinline int near(u32 slot, u32 event) {
	struct scratch *s = room(slot);
	struct call *c = bpf_map_lookup_elem(&calls, &event);
	if (!s || !c)
		return 0;
	s->need = 0;
	s->alive = 0;
	u32 n = c->conds;
	if (!n)
		return 1;
	u32 facts = 0;
	if (s->ret != -115) /* a connection that is being made neither failed nor did it not */
		facts = s->ret < 0 && s->ret >= -4095 ? FAILED : WORKED;
	if (c->asks & ASK_CONTAINER) {
		struct task_struct *t = (void *)bpf_get_current_task();
		u64 cgroup = cgroup_of(t);
		if (surely_container(cgroup))
			facts |= INSIDE;
		else if (surely_host(t, cgroup))
			facts |= HOST;
	}
	if (c->open >= 1 && c->open <= 6) {
		u64 mode = s->arg[(c->open - 1) & 7] & 3;
		if (mode == 0)
			facts |= READS;
		else if (mode != 3)
			facts |= WRITES;
	} else if (c->open == 7) {
		facts |= WRITES;
	}
	u32 open = 0;
	for (u32 i = 0; i < CONDS; i++) {
		if (i >= n)
			break;
		u32 met = may(slot, event, i, facts);
		s->alive |= (u64)(met & 1) << i;
		open |= met == 1;
	}
	s->need = !open;
	return s->alive != 0;
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
	struct pathkey k = {.bits = 64 * 8}, r = {.bits = 32 * 8};
	bpf_probe_read_kernel(k.text, 64, &s->rec[from]);
	u64 *sets = bpf_map_lookup_elem(&paths, &k);
	if (sets)
		s->paths |= *sets;
	u8 tail[32];
	bpf_probe_read_kernel(tail, 32, &s->rec[end - 32]);
#pragma unroll
	for (u32 i = 0; i < 32; i++)
		r.text[i] = tail[31 - i];
	sets = bpf_map_lookup_elem(&ends, &r);
	if (sets)
		s->paths |= *sets;
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
		if (!(s->alive & (1ull << i)))
			continue;
		if ((!w->paths || (w->paths & s->paths)) && (!w->ports || (w->ports & s->ports)) && (!w->nets || (w->nets & s->nets)))
			return true;
	}
	return false;
}
