/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/* Packets: the first payloads of a connection, names that are asked for, and how much goes where. */
#pragma once
#include "filter.h"

#define PACKETS 4 /* with payload that are told of each direction of a connection */
#define ROUND 10000000000ull /* nanoseconds after which a flow that goes on is told again */
#define SHOWN 256

struct flow {
	u64 first, told, sent, received, start, cgroup;
	u32 packets, pid, tid, uid;
	u8 out, in, changed, pad[5];
	struct fdpart fd;
	u8 addr[32];
};

MAP(flows, BPF_MAP_TYPE_LRU_HASH, u64, struct flow, 16384);

/* Programs of packets interrupt each other: they make their records in the ring itself. */
struct packet {
	struct head h;
	struct fdpart fd;
	u8 addr[32];
	struct { u8 tag; s64 n; } __attribute__((packed)) number[4];
	u8 tag;
	u16 len;
	u8 data[SHOWN];
} __attribute__((packed));

static __always_inline u32 wants(u32 event) {
	struct call *c = bpf_map_lookup_elem(&calls, &event);
	return c ? c->kind : 0;
}

static __always_inline struct packet *reserve(u32 event, u32 kind, struct flow *f) {
	count(CLASS_VOLUME, SEEN);
	if (own && f->pid == own) {
		count(CLASS_VOLUME, FILTERED);
		return 0;
	}
	struct packet *p = bpf_ringbuf_reserve(&volume, sizeof(*p), 0);
	if (!p) {
		count(CLASS_VOLUME, DROPPED);
		return 0;
	}
	count(CLASS_VOLUME, SENT);
	p->h.seq = 0;
	p->h.kind = kind;
	p->h.class = CLASS_VOLUME;
	p->h.flags = 0;
	p->h.time = bpf_ktime_get_boot_ns();
	p->h.start = f->start;
	p->h.cgroup = f->cgroup;
	p->h.result = 0;
	p->h.pid = f->pid;
	p->h.tid = f->tid;
	p->h.uid = f->uid;
	p->h.cpu = bpf_get_smp_processor_id();
	p->h.event = event;
	p->fd = f->fd;
	__builtin_memcpy(p->addr, f->addr, 32);
	for (int i = 0; i < 4; i++) {
		p->number[i].tag = TAG_NUMBER;
		p->number[i].n = 0;
	}
	p->tag = TAG_STOP;
	p->len = 0;
	return p;
}

static __always_inline void tell_flow(struct flow *f, u64 now) {
	u32 kind = wants(EV_FLOW);
	if (!kind)
		return;
	struct packet *p = reserve(EV_FLOW, kind, f);
	if (!p)
		return;
	p->number[0].n = f->sent;
	p->number[1].n = f->received;
	p->number[2].n = f->packets;
	p->number[3].n = now - f->first;
	f->sent = f->received = f->packets = 0; /* the next event tells what came since this one */
	bpf_ringbuf_submit(p, BPF_RB_NO_WAKEUP);
}

static __always_inline void tell_bytes(struct __sk_buff *skb, struct flow *f, u32 event, u32 at, u32 size, bool out) {
	u32 kind = wants(event);
	if (!kind)
		return;
	struct packet *p = reserve(event, kind, f);
	if (!p)
		return;
	u64 n = at_most(size, SHOWN);
	p->number[0].n = size;
	p->number[1].n = out;
	if (n && !bpf_skb_load_bytes(skb, at, p->data, n)) {
		p->tag = TAG_TEXT;
		p->len = n;
	}
	bpf_ringbuf_submit(p, BPF_RB_NO_WAKEUP);
}

/* packet looks at one; its first byte is that of the IP header. It never refuses one. */
static __always_inline int packet(struct __sk_buff *skb, bool out) {
	struct bpf_sock *sk = (void *)skb->sk;
	if (!sk)
		return 1;
	sk = (void *)bpf_sk_fullsock(sk);
	if (!sk)
		return 1;
	u8 ip[40] = {}, l4[20] = {};
	u32 at, proto;
	if (bpf_skb_load_bytes(skb, 0, ip, 20))
		return 1;
	if (ip[0] >> 4 == 4) {
		at = (ip[0] & 15) * 4;
		proto = ip[9];
	} else {
		if (bpf_skb_load_bytes(skb, 0, ip, 40))
			return 1;
		at = 40;
		proto = ip[6];
	}
	if (proto == 6) {
		if (bpf_skb_load_bytes(skb, at, l4, 20))
			return 1;
		at += (l4[12] >> 4) * 4;
	} else if (proto == 17) {
		if (bpf_skb_load_bytes(skb, at, l4, 8))
			return 1;
		at += 8;
	} else {
		return 1;
	}
	u32 size = skb->len > at ? skb->len - at : 0;
	u16 from = (l4[0] << 8) | l4[1], to = (l4[2] << 8) | l4[3];
	u64 key = bpf_get_socket_cookie(skb), now = bpf_ktime_get_boot_ns();
	struct flow *f = bpf_map_lookup_elem(&flows, &key), made = {};
	if (!f) {
		made.first = made.told = now;
		made.cgroup = bpf_skb_cgroup_id(skb);
		made.fd.tag = TAG_FD;
		made.fd.num = -1;
		made.fd.mode = 0140000;
		made.fd.proto = proto;
		made.fd.flags = FD_CONNECTED;
		made.fd.len = 32;
		bool asks = out && (proto != 6 || (l4[13] & 0x12) == 2); /* SYN without ACK, or no TCP */
		if (!asks && (out ? from < to : to < from))
			made.fd.flags |= FD_SERVER;
		if (out) {
			struct task_struct *t = (void *)bpf_get_current_task();
			if (cgroup_of(t) == made.cgroup) {
				made.pid = BPF_CORE_READ(t, tgid);
				made.tid = BPF_CORE_READ(t, pid);
				made.start = started(t);
				made.uid = BPF_CORE_READ(t, cred, euid.val);
			}
		}
		bpf_map_update_elem(&flows, &key, &made, BPF_ANY);
		f = bpf_map_lookup_elem(&flows, &key);
		if (!f)
			return 1;
	}
	if (!f->pid && out) {
		struct task_struct *t = (void *)bpf_get_current_task();
		if (cgroup_of(t) == f->cgroup) {
			f->pid = BPF_CORE_READ(t, tgid);
			f->tid = BPF_CORE_READ(t, pid);
			f->start = started(t);
			f->uid = BPF_CORE_READ(t, cred, euid.val);
		}
	}
	f->fd.family = ip[0] >> 4 == 4 ? AF_INET : AF_INET6;
	f->fd.lport = out ? from : to;
	f->fd.rport = out ? to : from;
	u8 *local = f->addr + (out ? 0 : 16), *remote = f->addr + (out ? 16 : 0);
	if (f->fd.family == AF_INET) {
		u32 a = *(u32 *)(ip + 12), b = *(u32 *)(ip + 16);
		__builtin_memset(f->addr, 0, 32);
		f->addr[10] = f->addr[11] = f->addr[26] = f->addr[27] = 0xff;
		*(u32 *)(f->addr + 12) = out ? a : b;
		*(u32 *)(f->addr + 28) = out ? b : a;
	} else {
		__builtin_memcpy(local, ip + 8, 16);
		__builtin_memcpy(remote, ip + 24, 16);
	}
	u64 *sum = out ? &f->sent : &f->received;
	__sync_fetch_and_add(sum, size);
	__sync_fetch_and_add(&f->packets, 1);
	if (now - f->told > ROUND) {
		f->told = now;
		tell_flow(f, now);
	}
	if (!size)
		return 1;
	if (f->fd.rport == 53) {
		tell_bytes(skb, f, EV_DNS, at, size, out);
	} else if (proto == 6) {
		u8 *n = out ? &f->out : &f->in;
		if (*n < PACKETS) {
			*n += 1;
			tell_bytes(skb, f, EV_PAYLOAD, at, size, out);
		}
	}
	return 1;
}

SEC("cgroup_skb/egress")
int on_egress(struct __sk_buff *skb) { return packet(skb, true); }

SEC("cgroup_skb/ingress")
int on_ingress(struct __sk_buff *skb) { return packet(skb, false); }

SEC("raw_tracepoint/inet_sock_set_state")
int on_state(struct { u64 args[3]; } *ctx) {
	if (ctx->args[2] != 7) /* closed */
		return 0;
	struct sock *sk = (void *)ctx->args[0];
	u64 key = BPF_CORE_READ(sk, __sk_common.skc_cookie.counter);
	struct flow *f = bpf_map_lookup_elem(&flows, &key);
	if (!f)
		return 0;
	tell_flow(f, bpf_ktime_get_boot_ns());
	bpf_map_delete_elem(&flows, &key);
	return 0;
}
