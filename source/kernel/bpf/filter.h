/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/* What is wanted: conditions on events, asked in three rounds: what is at hand first, then a few letters of
   what was opened, then paths and addresses. */
#pragma once
#include "paths.h"

struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 1 << 22);
} critical SEC(".maps"), volume SEC(".maps");

MAP(calls, BPF_MAP_TYPE_ARRAY, u32, struct call, EVENTS);
struct counters { u64 n[CLASSES * COUNTS]; }; /* in one value: who reads them asks once */
MAP(counts, BPF_MAP_TYPE_PERCPU_ARRAY, u32, struct counters, 1);
MAP(ports, BPF_MAP_TYPE_HASH, u16, u64, 4096);

struct netkey { u32 bits; u8 addr[16]; };
TRIE(nets, struct netkey, 4096);

const volatile u32 own; /* process that is not looked at */

static __always_inline u64 *counter(u32 class, u32 what) {
	u32 one = 0, at = class * COUNTS + what;
	struct counters *c = bpf_map_lookup_elem(&counts, &one);
	return c && at < CLASSES * COUNTS ? &c->n[at] : 0;
}

/* count adds to a counter: interrupts, and what takes the processor from a program of packets, do so as well. */
static __always_inline void count(u32 class, u32 what) {
	u64 *n = counter(class, what);
	if (n)
		__sync_fetch_and_add(n, 1);
}

/* count_call counts a call as unwanted or told: programs of calls do not take the processor from each other. */
static __always_inline void count_call(u32 class, u32 what) {
	u64 *n = counter(class, what);
	if (n)
		++*n;
}

volatile u32 asleep; /* the reader says that it does not come by itself */

const volatile u32 much; /* two to the power of it are a sixteenth of the volume ring */

volatile u32 filled; /* sixteenths of the volume ring that were full when it was last looked at */

/* wakeup has the reader of the volume ring woken where it sleeps, and each time that another sixteenth of it is full: else it comes
   by itself within milliseconds, and waking it takes longer than all else. How full it is a processor asks for each eighth record. */
static __always_inline u64 wakeup(u32 seq) {
	if (asleep) {
		asleep = 0;
		return BPF_RB_FORCE_WAKEUP;
	}
	if (seq & 7)
		return BPF_RB_NO_WAKEUP;
	u32 now = bpf_ringbuf_query(&volume, BPF_RB_AVAIL_DATA) >> much, before = filled;
	if (now == before)
		return BPF_RB_NO_WAKEUP;
	filled = now;
	return now > before ? BPF_RB_FORCE_WAKEUP : BPF_RB_NO_WAKEUP;
}

/* flags_meet leaves in s->alive the conditions whose flags are set. */
__noinline int flags_meet(u32 slot, u32 event) {
	struct scratch *s = room(slot);
	struct call *c = bpf_map_lookup_elem(&calls, &event);
	if (!s || !c)
		return 0;
	u32 out = 0;
	for (u32 i = 0; i < CONDS; i++) {
		struct cond *w = &c->cond[i];
		if (!(c->flagged & (1u << i)))
			continue;
		if (w->nflags > 0 && !(s->arg[w->flag[0] & 7] & w->any[0]))
			out |= 1u << i;
		if (w->nflags > 1 && !(s->arg[w->flag[1] & 7] & w->any[1]))
			out |= 1u << i;
	}
	s->alive &= ~out;
	return 0;
}

/* near leaves in s->alive the conditions that may be met as far as can be told without paths and addresses; false: none. */
static __always_inline bool near(struct scratch *s, struct call *c, struct task_struct *t, u32 slot, u32 event) {
	s->need = 0;
	if (!c->conds)
		return true;
	u64 how = 0, opened = 0;
	int where = whereabouts(s, t);
	if (s->ret != -115) /* a connection that is being made neither failed nor did it not */
		how = s->ret < 0 && s->ret >= -4095 ? FAILED : WORKED;
	if (c->open >= 1 && c->open <= 6) {
		u64 mode = s->arg[(c->open - 1) & 7] & 3;
		if (mode != 3)
			opened = mode ? WRITES : READS;
	} else if (c->open == 7) {
		opened = WRITES;
	}
	struct fact *f = &c->facts[(((where < 0 ? HOST : where) * 3 + how) * 3 + opened) & (FACTS - 1)];
	s->alive = f->conds;
	if (s->alive & c->flagged)
		flags_meet(slot, event);
	if (!s->alive)
		return false;
	s->need = !(s->alive & c->plain);
	s->asked = s->need ? f->paths : 0;
	return true;
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
	s->paths |= everywhere | having;
	if (!s->climbed)
		s->paths &= ~climbs;
	if (s->unsure & 1)
		s->paths = ~0ull;
	if (s->unsure & 2)
		s->ports = s->nets = ~0ull;
	for (u32 i = 0; i < CONDS; i++) {
		struct cond *w = &c->cond[i];
		if (!(s->alive & (1u << i)))
			continue;
		if ((!w->paths || (w->paths & s->paths)) && (!w->ports || (w->ports & s->ports)) && (!w->nets || (w->nets & s->nets)))
			return true;
	}
	return false;
}
