/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/* Packets: the first payloads of a connection, names that are asked for, and how much goes where.
   Two processors may look at packets of one flow at a time, and one may leave a packet in the middle for another: what they
   share is only added to, and records are made in the ring itself. */
#pragma once
#include "filter.h"

#define PACKETS 4 /* with payload that are told of each direction of a connection */
#define ROUND 10000000000ull /* nanoseconds after which a flow that goes on is told again */
#define MUCH (4 << 20) /* bytes after which it is told at once */
#define SHOWN 288 /* bytes of a payload: the longest question of DNS is in it */

enum { TCP_ESTABLISHED = 1, TCP_SYN_RECV = 3, TCP_CLOSE = 7, TCP_LISTEN = 10 };
enum { PROTO_TCP = 6, PROTO_UDP = 17 };

struct who {
	u64 start, cgroup;
	u32 pid, tid, uid, pad;
};

/* A connection of TCP is its socket; others have a flow for each remote end. */
struct flowkey {
	u64 cookie;
	u8 addr[16];
	u32 port, pad;
};

struct ends {
	u8 local[16], remote[16];
};

struct flow {
	u64 first, told, sent, received, packets;
	u64 toldsent, toldreceived, toldpackets;
	struct who who;
	struct fdpart fd;
	struct ends ends;
	u32 out, in; /* payloads that were told */
	u32 looked, pad; /* packets of TCP that were looked at */
};

MAP(flows, BPF_MAP_TYPE_LRU_HASH, struct flowkey, struct flow, 16384);
/* What a connection of TCP has still to be looked at for, at the socket itself: all but its first payloads go by for the price
   of this lookup. Its bytes are counted by the kernel. */
struct quick {
	u64 due, much;
	u32 done[2]; /* by direction, ingress first: its payloads were told */
};

struct {
	__uint(type, BPF_MAP_TYPE_SK_STORAGE);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, int);
	__type(value, struct quick);
} quicks SEC(".maps");

MAP(blank, BPF_MAP_TYPE_ARRAY, u32, struct flow, 1); /* what a flow is made of: there is no room for one on the stack */

struct number { u8 tag; s64 n; } __attribute__((packed));

struct packet {
	struct head h;
	struct fdpart fd;
	struct ends ends;
	struct number number[4];
	u8 tag;
	u16 len;
	u8 data[SHOWN];
} __attribute__((packed));

static __always_inline u32 wants(u32 event) {
	struct call *c = bpf_map_lookup_elem(&calls, &event);
	return c ? c->kind : 0;
}

static __always_inline struct packet *reserve(u32 event, u32 kind, struct who *who, struct fdpart *fd, struct ends *ends) {
	if (own && who->pid == own) {
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
	p->h.start = who->start;
	p->h.cgroup = who->cgroup;
	p->h.result = 0;
	p->h.pid = who->pid;
	p->h.tid = who->tid;
	p->h.uid = who->uid;
	p->h.cpu = bpf_get_smp_processor_id();
	p->h.event = event;
	__builtin_memset(&p->h.effective, 0, 24);
	p->fd = *fd;
	p->ends = *ends;
	for (int i = 0; i < 4; i++) {
		p->number[i].tag = TAG_NUMBER;
		p->number[i].n = 0;
	}
	p->tag = TAG_STOP;
	p->len = 0;
	return p;
}

/* tell_flow tells what came since it last did. */
static __always_inline void tell_flow(struct flow *f, u64 now) {
	u32 kind = wants(EV_FLOW);
	u64 sent = f->sent, received = f->received, packets = f->packets;
	f->told = now;
	if (!kind)
		return;
	struct packet *p = reserve(EV_FLOW, kind, &f->who, &f->fd, &f->ends);
	if (!p)
		return;
	p->number[0].n = sent - f->toldsent;
	p->number[1].n = received - f->toldreceived;
	p->number[2].n = packets - f->toldpackets;
	p->number[3].n = now - f->first;
	f->toldsent = sent;
	f->toldreceived = received;
	f->toldpackets = packets;
	bpf_ringbuf_submit(p, wakeup(0));
}

/* tally takes what TCP counted of a connection. */
static __always_inline void tally(struct flow *f, struct sock *sk) {
	struct tcp_sock *tp = (void *)sk;
	f->sent = BPF_CORE_READ(tp, bytes_sent) - BPF_CORE_READ(tp, bytes_retrans);
	f->received = BPF_CORE_READ(tp, bytes_received);
	f->packets = (u64)BPF_CORE_READ(tp, segs_in) + BPF_CORE_READ(tp, segs_out);
}

/* passes tells whether there is nothing to do for a packet of a connection that is known. */
static __always_inline bool passes(struct bpf_sock *full, bool out) {
	if (full->protocol != PROTO_TCP)
		return false;
	struct quick *q = bpf_sk_storage_get(&quicks, full, 0, 0);
	if (!q || !q->done[out] || bpf_ktime_get_coarse_ns() > q->due)
		return false;
	struct bpf_tcp_sock *tp = bpf_tcp_sock(full);
	return tp && tp->bytes_received + tp->bytes_acked < q->much;
}

/* passing has what comes of a connection pass until it is to be told again, once its payloads were. */
static __always_inline void passing(struct bpf_sock *full, bool out) {
	struct bpf_tcp_sock *tp = bpf_tcp_sock(full);
	struct quick *q = bpf_sk_storage_get(&quicks, full, 0, BPF_SK_STORAGE_GET_F_CREATE);
	if (!tp || !q)
		return;
	if (!q->due) {
		q->due = bpf_ktime_get_coarse_ns() + ROUND;
		q->much = tp->bytes_received + tp->bytes_acked + MUCH;
	}
	q->done[out] = 1;
}

/* is_due tells whether it is time to tell of a flow again. */
static __always_inline bool is_due(struct flow *f, struct bpf_sock *full, bool tcp, u64 now) {
	if (!f->first)
		return false;
	if (!tcp)
		return now - f->told > ROUND || f->sent + f->received - f->toldsent - f->toldreceived > MUCH;
	struct quick *q = bpf_sk_storage_get(&quicks, full, 0, 0);
	struct bpf_tcp_sock *tp = bpf_tcp_sock(full);
	if (!q || !tp || (bpf_ktime_get_coarse_ns() <= q->due && tp->bytes_received + tp->bytes_acked < q->much))
		return false;
	q->due = 0; /* passing begins anew */
	return true;
}

/* Where the payload of a packet is, and between whom it goes. */
struct parsed {
	struct fdpart fd;
	struct ends ends;
	struct who who;
	u32 at, size, proto, syn;
};

static __always_inline void tell_bytes(struct __sk_buff *skb, struct parsed *d, u32 event, bool out) {
	u32 kind = wants(event);
	if (!kind)
		return;
	struct packet *p = reserve(event, kind, &d->who, &d->fd, &d->ends);
	if (!p)
		return;
	p->number[0].n = d->size;
	p->number[1].n = out;
	u64 n = at_most((u64)d->size - 1, SHOWN - 1) + 1; /* not nothing, as the verifier has to see */
	if (!bpf_skb_load_bytes(skb, d->at, p->data, n)) {
		p->tag = TAG_TEXT;
		p->len = n;
	}
	bpf_ringbuf_submit(p, wakeup(0));
}

const volatile u64 starts[4]; /* first bytes, a bit for each, of payloads that are wanted of any connection */
const volatile u64 eitherports; /* sets of ports of which all payloads are wanted */

static __always_inline bool in_port(u16 port) {
	u64 *sets = bpf_map_lookup_elem(&ports, &port);
	return sets && (*sets & eitherports);
}

/* payload_wanted tells whether a payload may be wanted: d has at least one byte. */
static __always_inline bool payload_wanted(struct __sk_buff *skb, struct parsed *d) {
	u8 first = 0;
	if (bpf_skb_load_bytes(skb, d->at, &first, 1) || (starts[first >> 6] & 1ull << (first & 63)))
		return true;
	return eitherports && (in_port(d->fd.lport) || in_port(d->fd.rport));
}

static __always_inline void mapped(u8 *to, const u8 *v4) {
	to[10] = to[11] = 0xff;
	__builtin_memcpy(to + 12, v4, 4);
}

/* parse reads the headers; the first byte is that of the IP header. Raw sockets may send any bytes. */
static __always_inline bool parse(struct __sk_buff *skb, struct parsed *d, bool out) {
	u8 ip[40] = {}, l4[20] = {};
	if (bpf_skb_load_bytes(skb, 0, ip, 20))
		return false;
	u8 *local = out ? d->ends.local : d->ends.remote, *remote = out ? d->ends.remote : d->ends.local;
	u32 at, proto;
	if (ip[0] >> 4 == 4) {
		at = (ip[0] & 15) * 4;
		proto = ip[9];
		if (at < 20)
			return false;
		d->fd.family = AF_INET;
		mapped(local, ip + 12);
		mapped(remote, ip + 16);
	} else if (ip[0] >> 4 == 6) {
		if (bpf_skb_load_bytes(skb, 0, ip, 40))
			return false;
		at = 40;
		proto = ip[6];
#pragma unroll
		for (int i = 0; i < 4; i++) { /* headers between: for each hop, routing, for the destination */
			u8 next[2];
			if (proto != 0 && proto != 43 && proto != 60)
				break;
			if (bpf_skb_load_bytes(skb, at, next, 2))
				return false;
			proto = next[0];
			at += (next[1] + 1) * 8;
		}
		d->fd.family = AF_INET6;
		__builtin_memcpy(local, ip + 8, 16);
		__builtin_memcpy(remote, ip + 24, 16);
	} else {
		return false;
	}
	if (proto == PROTO_TCP) {
		if (bpf_skb_load_bytes(skb, at, l4, 20))
			return false;
		at += (l4[12] >> 4) * 4;
		d->syn = (l4[13] & 0x12) == 2; /* SYN without ACK */
	} else if (proto == PROTO_UDP) {
		if (bpf_skb_load_bytes(skb, at, l4, 8))
			return false;
		at += 8;
	} else {
		return false;
	}
	u16 from = (l4[0] << 8) | l4[1], to = (l4[2] << 8) | l4[3];
	d->at = at;
	d->size = skb->len > at ? skb->len - at : 0;
	d->proto = proto;
	d->fd.tag = TAG_FD;
	d->fd.num = -1;
	d->fd.mode = 0140000;
	d->fd.proto = proto;
	d->fd.flags = FD_CONNECTED;
	d->fd.len = sizeof(struct ends);
	d->fd.lport = out ? from : to;
	d->fd.rport = out ? to : from;
	return true;
}

/* sender tells whether the running thread sends the packet: interrupts send as well, in the name of whoever runs. Only
   threads own the lock of a TCP socket; of others only the kernel's own, which have no file, are used in interrupts. */
static __always_inline bool sender(struct sock *sk, bool tcp) {
	if (tcp)
		return BPF_CORE_READ(sk, sk_lock.owned) != 0;
	struct socket *s = BPF_CORE_READ(sk, sk_socket);
	return s && BPF_CORE_READ(s, file);
}

static __always_inline void current_is(struct who *w) {
	struct task_struct *t = (void *)bpf_get_current_task();
	w->pid = BPF_CORE_READ(t, tgid);
	w->tid = BPF_CORE_READ(t, pid);
	w->start = started(t);
	w->uid = BPF_CORE_READ(t, cred, euid.val);
	w->cgroup = cgroup_of(t);
}

/* listens tells whether the local side of a flow that begins with this packet was there first. */
static __always_inline bool listens(struct sock *sk, struct parsed *d, bool out) {
	if (d->proto != PROTO_TCP)
		return !out;
	if (d->syn)
		return !out;
	return was_accepted(sk) || d->fd.lport < d->fd.rport; /* of one that is older than the sensor only the ports are known */
}

/* packet looks at one. It never refuses one. */
static __always_inline int packet(struct __sk_buff *skb, bool out) {
	struct bpf_sock *full = (void *)skb->sk;
	if (!full)
		return 1;
	full = (void *)bpf_sk_fullsock(full);
	if (!full || full->state == TCP_LISTEN) /* what it gets and answers belongs to no connection yet */
		return 1;
	if (passes(full, out))
		return 1;
	struct parsed d = {};
	if (!parse(skb, &d, out))
		return 1;
	bool tcp = full->protocol == PROTO_TCP;
	struct sock *sk = BPF_CORE_READ((struct sk_buff *)skb, sk);
	struct flowkey key = {.cookie = bpf_get_socket_cookie(skb)};
	if (!tcp) {
		__builtin_memcpy(key.addr, d.ends.remote, 16);
		key.port = d.fd.rport;
	}
	bool task = out && sender(sk, tcp);
	if (task)
		current_is(&d.who);
	else if (!v1_subsystem)
		d.who.cgroup = bpf_skb_cgroup_id(skb);
	u64 now = bpf_ktime_get_boot_ns();
	struct flow *f = bpf_map_lookup_elem(&flows, &key);
	if (!f) {
		u32 zero = 0;
		struct flow *empty = bpf_map_lookup_elem(&blank, &zero);
		if (!empty)
			return 1;
		bool made = !bpf_map_update_elem(&flows, &key, empty, BPF_NOEXIST);
		f = bpf_map_lookup_elem(&flows, &key);
		if (!f)
			return 1;
		if (made) {
			if (listens(sk, &d, out))
				d.fd.flags |= FD_SERVER;
			f->fd = d.fd;
			f->ends = d.ends;
			f->who = d.who;
			f->told = now;
			if (tcp && !d.syn) { /* it may be older than the sensor */
				tally(f, sk);
				f->toldsent = f->sent - (out && d.size < f->sent ? d.size : 0);
				f->toldreceived = f->received;
				f->toldpackets = f->packets;
			}
			f->first = now; /* whoever finds it earlier does not tell it */
		}
	}
	d.fd.flags = f->fd.flags;
	if (task && (!f->who.pid || (tcp && f->who.tid != d.who.tid)))
		f->who = d.who;
	else if (!task && f->who.pid)
		d.who = f->who;
	if (!tcp) {
		__sync_fetch_and_add(out ? &f->sent : &f->received, d.size);
		__sync_fetch_and_add(&f->packets, 1);
	}
	if (is_due(f, full, tcp, now)) {
		if (tcp)
			tally(f, sk);
		tell_flow(f, now);
	}
	u32 *n = out ? &f->out : &f->in;
	bool known = f->who.pid || ++f->looked > 32;
	if (tcp && known && d.fd.rport != 53 && (*n >= PACKETS || !wants(EV_PAYLOAD)))
		passing(full, out);
	if (!d.size)
		return 1;
	if (d.fd.rport == 53) {
		tell_bytes(skb, &d, EV_DNS, out);
	} else if (d.proto == PROTO_TCP) {
		if (*n < PACKETS) {
			*n += 1;
			if (payload_wanted(skb, &d))
				tell_bytes(skb, &d, EV_PAYLOAD, out);
			else
				count(CLASS_VOLUME, FILTERED);
		}
	}
	return 1;
}

SEC("cgroup_skb/egress")
int on_egress(struct __sk_buff *skb) { return packet(skb, true); }

SEC("cgroup_skb/ingress")
int on_ingress(struct __sk_buff *skb) { return packet(skb, false); }

struct state_args { u64 sk, from, to; };

SEC("raw_tracepoint/inet_sock_set_state")
int on_state(struct state_args *ctx) {
	struct sock *sk = (void *)ctx->sk;
	if (ctx->from == TCP_SYN_RECV && ctx->to == TCP_ESTABLISHED)
		accept_is(sk);
	if (ctx->to != TCP_CLOSE)
		return 0;
	struct flowkey key = {.cookie = BPF_CORE_READ(sk, __sk_common.skc_cookie.counter)};
	struct flow *f = bpf_map_lookup_elem(&flows, &key);
	if (!f)
		return 0;
	tally(f, sk);
	tell_flow(f, bpf_ktime_get_boot_ns());
	bpf_map_delete_elem(&flows, &key);
	return 0;
}
