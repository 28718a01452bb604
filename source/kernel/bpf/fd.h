/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/* What a file descriptor stands for. */
#pragma once
#include "walk.h"

/* Sockets that accept made, with their ends: the memory of one that is closed becomes another. */
MAP(accepted, BPF_MAP_TYPE_LRU_HASH, u64, u64, 16384);

#define PIPEFS 0x50495045 /* what is opened again by /proc has no path */
#define AF_UNIX 1
#define AF_INET 2
#define AF_INET6 10

static __always_inline void far(struct scratch *s, u16 family, u16 port, const void *addr) {
	s->far = 1;
	s->family = family;
	s->rport = port;
	__builtin_memset(s->addr, 0, 16);
	if (family == AF_INET6) {
		__builtin_memcpy(s->addr, addr, 16);
		return;
	}
	s->addr[10] = s->addr[11] = 0xff;
	__builtin_memcpy(s->addr + 12, addr, 4);
}

/* tie is what an accepted socket does not change: of a local one its peer, of others their ports and the peer's address. */
static __always_inline u64 tie(struct sock *sk) {
	u16 family = BPF_CORE_READ(sk, __sk_common.skc_family);
	if (family == AF_UNIX)
		return (u64)BPF_CORE_READ((struct unix_sock *)sk, peer);
	u64 ports = BPF_CORE_READ(sk, __sk_common.skc_num) | (u32)BPF_CORE_READ(sk, __sk_common.skc_dport) << 16;
	if (family != AF_INET6)
		return ports | (u64)BPF_CORE_READ(sk, __sk_common.skc_daddr) << 32;
	struct in6_addr to = BPF_CORE_READ(sk, __sk_common.skc_v6_daddr);
	return ports ^ *(u64 *)&to.in6_u.u6_addr8[0] ^ *(u64 *)&to.in6_u.u6_addr8[8];
}

static __always_inline void accept_is(struct sock *sk) {
	u64 key = (u64)sk, ends = tie(sk);
	bpf_map_update_elem(&accepted, &key, &ends, BPF_ANY);
}

static __always_inline bool was_accepted(struct sock *sk) {
	u64 key = (u64)sk, *ends = bpf_map_lookup_elem(&accepted, &key);
	return ends && *ends == tie(sk);
}

static __always_inline void unix_name(struct scratch *s, struct fdpart *p, struct sock *sk, u64 o) {
	struct unix_sock *own = (void *)sk, *peer = (void *)BPF_CORE_READ(own, peer), *who = own;
	if (peer) {
		p->flags |= FD_CONNECTED;
		if (BPF_CORE_READ(peer, addr))
			who = peer;
	}
	struct dentry *d = BPF_CORE_READ(who, path.dentry);
	if (d) {
		p->ino = BPF_CORE_READ(d, d_inode, i_ino);
		p->dev = BPF_CORE_READ(d, d_sb, s_dev);
		walk(s, BPF_CORE_READ(who, path.mnt), d);
		u64 n = at_most(walked(s), NAME);
		copy_path(s, o, n);
		p->len = n;
		if (s->w.outside)
			p->flags |= FD_OUTSIDE;
		return;
	}
	struct unix_address *a = BPF_CORE_READ(who, addr);
	if (!a)
		return;
	u64 n = at_most((u32)BPF_CORE_READ(a, len) - 2, 108);
	bpf_probe_read_kernel(&s->rec[o], n, &a->name[0].sun_path);
	p->len = n;
}

static __always_inline void socket_part(struct scratch *s, struct fdpart *p, struct sock *sk, u64 o) {
	p->family = BPF_CORE_READ(sk, __sk_common.skc_family);
	p->proto = BPF_CORE_READ(sk, sk_protocol);
	if (BPF_CORE_READ(sk, sk_type) == 1)
		p->flags |= FD_STREAM;
	if (was_accepted(sk))
		p->flags |= FD_SERVER;
	if (p->family == AF_UNIX) {
		unix_name(s, p, sk, o);
		return;
	}
	if (p->family != AF_INET && p->family != AF_INET6)
		return;
	u8 state = BPF_CORE_READ(sk, __sk_common.skc_state);
	p->lport = BPF_CORE_READ(sk, __sk_common.skc_num);
	p->rport = __builtin_bswap16(BPF_CORE_READ(sk, __sk_common.skc_dport));
	if (p->rport && state == 1)
		p->flags |= FD_CONNECTED;
	if (p->family == AF_INET) {
		u32 from = BPF_CORE_READ(sk, __sk_common.skc_rcv_saddr), to = BPF_CORE_READ(sk, __sk_common.skc_daddr);
		*(u32 *)&s->rec[o] = from;
		*(u32 *)&s->rec[o + 4] = to;
		p->len = 8;
		if (p->rport)
			far(s, AF_INET, p->rport, &to);
		return;
	}
	struct in6_addr from = BPF_CORE_READ(sk, __sk_common.skc_v6_rcv_saddr), to = BPF_CORE_READ(sk, __sk_common.skc_v6_daddr);
	__builtin_memcpy(&s->rec[o], &from, 16);
	__builtin_memcpy(&s->rec[o + 16], &to, 16);
	p->len = 32;
	if (p->rport)
		far(s, AF_INET6, p->rport, &to);
}

/* put_fd adds what fd stands for; 1: that has a path. It is a function of its own so that the verifier looks at it once. */
__noinline int put_fd(u32 slot, int fd, u32 fresh) {
	struct scratch *s = room(slot);
	if (!s)
		return 0;
	struct file *f = file_of(running(), fd);
	u64 o = here(s);
	if (!f || o >= ROOM || s->fdset)
		return 0;
	struct inode *inode = GET(struct file, f, f_inode);
	struct super_block *sb = GET(struct inode, inode, i_sb);
	struct fdpart p = {.tag = TAG_FD, .num = fd};
	p.ino = GET(struct inode, inode, i_ino);
	p.mode = GET(struct inode, inode, i_mode);
	p.dev = GET(struct super_block, sb, s_dev);
	p.magic = GET(struct super_block, sb, s_magic);
	u64 at = o + sizeof(p);
	if ((p.mode & 0170000) == 0140000) {
		struct socket *sock = BPF_CORE_READ(f, private_data);
		struct sock *sk = BPF_CORE_READ(sock, sk);
		if (sk) {
			if (fresh)
				accept_is(sk);
			socket_part(s, &p, sk, at);
		}
	} else {
		if (p.magic == OVERLAY && upper(inode))
			p.flags |= FD_UPPER;
		walk(s, GET(struct file, f, f_path.mnt), GET(struct file, f, f_path.dentry));
		u64 n = at_most(walked(s), NAME);
		copy_path(s, at, n);
		p.len = n;
		if (s->w.outside)
			p.flags |= FD_OUTSIDE;
		if (s->w.cut)
			p.flags |= FD_CUT;
	}
	__builtin_memcpy(&s->rec[o], &p, sizeof(p));
	s->fdset = 1;
	s->fdname = at;
	s->fdlen = p.len;
	s->off = at + p.len;
	return p.len > 0 && (p.mode & 0170000) != 0140000 && p.magic != PIPEFS;
}
