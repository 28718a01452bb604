/* The guards: what is executed, where connections go, what is sent. Everything is keyed by the cgroup and
 * those above it, so that a block on an engine's cgroup holds for its containers before they have begun. */
#include "kernel.h"

char LICENSE[] SEC("license") = "GPL";

#define LEVELS 12    /* of the tree of cgroups that are looked at */
#define BLOCKS 8     /* of one cgroup */
#define RANGES 16    /* of ports, of one network */
#define PAYLOAD 160  /* bytes of a segment that are looked at; below 256 */

#define AF_INET 2
#define AF_INET6 10
#define OVERLAYFS_MAGIC 0x794c7630
#define TMPFS_MAGIC 0x01021994

enum deed { EXEC_DRIFT = 1, EXEC_MEMORY, CONNECT, CONNECT_EXCEPT, MINE };
enum act { DENIED, KILLED, CUT };

/* The guard's own process is never stopped. */
volatile const __u32 self;
volatile const __u32 node_mnt_ns;

struct scope {
	__u32 n;
	__u32 block[BLOCKS];
	__u32 deed[BLOCKS]; /* of each block: enum deed */
	__u32 fresh;        /* it was written when its cgroup was made */
};

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 16384);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, __u64); /* cgroup */
	__type(value, struct scope);
} scopes SEC(".maps");

/* What holds for containers that are yet to begin. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct scope);
} newcomers SEC(".maps");

struct range {
	__u16 first, last;
	__u8 proto; /* 0: all */
	__u8 pad[3];
};

struct ranges {
	__u32 n;
	struct range r[RANGES];
};

struct key4 {
	__u32 bits;
	__u32 block;
	__u32 addr;
};

struct key6 {
	__u32 bits;
	__u32 block;
	__u32 addr[4];
};

struct {
	__uint(type, BPF_MAP_TYPE_LPM_TRIE);
	__uint(max_entries, 65536);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, struct key4);
	__type(value, struct ranges);
} nets4 SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_LPM_TRIE);
	__uint(max_entries, 65536);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, struct key6);
	__type(value, struct ranges);
} nets6 SEC(".maps");

struct decision {
	__u64 time; /* since boot */
	__u64 start;
	__u64 cgroup;
	__u32 pid;
	__u32 block;
	__u32 addr[4];
	__u16 port;
	__u8 family;
	__u8 proto;
	__u8 act;
	__u8 pad[3];
	char comm[16];
	char path[256];
	char file[64];
};

const struct decision *decision_type __attribute__((unused));

struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 1 << 18);
} decisions SEC(".maps");

enum { SEEN, LOST };

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 2);
	__type(key, __u32);
	__type(value, __u64);
} counts SEC(".maps");

/* Who opened a socket: what leaves it is sent by nobody in particular. */
struct owner {
	__u64 start;
	__u32 pid;
	char comm[16];
};

struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 8192);
	__type(key, __u64); /* cookie */
	__type(value, struct owner);
} owners SEC(".maps");

struct text {
	__u8 b[256];
};

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct text);
} texts SEC(".maps");

static __always_inline void count(__u32 which)
{
	__u64 *n = bpf_map_lookup_elem(&counts, &which);
	if (n)
		*n += 1;
}

static __always_inline struct decision *decide(__u32 block, __u64 cgroup, __u8 act)
{
	count(SEEN);
	struct decision *d = bpf_ringbuf_reserve(&decisions, sizeof(*d), 0);
	if (!d) {
		count(LOST);
		return 0;
	}
	__builtin_memset(d, 0, sizeof(*d));
	d->time = bpf_ktime_get_boot_ns();
	d->block = block;
	d->cgroup = cgroup;
	d->act = act;
	return d;
}

/* Where something goes to. */
struct to {
	__u32 addr[4]; /* network order; of IPv4 the first */
	__u16 port;    /* host order; 0: it has none */
	__u8 family;
	__u8 proto;
};

/* The functions that are not static are verified once, whoever calls them. */
__noinline int in_ranges(const struct ranges *v, const struct to *to)
{
	if (!v || !to)
		return 0;
	for (int i = 0; i < RANGES; i++) {
		if (i >= v->n)
			break;
		const struct range *r = &v->r[i];
		if (r->proto && r->proto != to->proto)
			continue;
		if (to->port >= r->first && to->port <= r->last)
			return 1;
	}
	return 0;
}

__noinline int listed4(__u32 block, const struct to *to)
{
	if (!to)
		return 0;
	struct key4 k = {.bits = 64, .block = block, .addr = to->addr[0]};
	struct ranges *v = bpf_map_lookup_elem(&nets4, &k);
	return v ? in_ranges(v, to) : 0;
}

__noinline int listed6(__u32 block, const struct to *to)
{
	if (!to)
		return 0;
	struct key6 k = {.bits = 160, .block = block};
	k.addr[0] = to->addr[0];
	k.addr[1] = to->addr[1];
	k.addr[2] = to->addr[2];
	k.addr[3] = to->addr[3];
	struct ranges *v = bpf_map_lookup_elem(&nets6, &k);
	return v ? in_ranges(v, to) : 0;
}

/* The block of the scope that stops it, plus one; 0: none. What is asked of the tables in here costs the verifier
 * one call a turn: with the tables themselves in the loop it took a million instructions on Linux 6.1. */
__noinline __u32 stopped(const struct scope *s, const struct to *to)
{
	if (!s || !to)
		return 0;
	for (int i = 0; i < BLOCKS; i++) {
		if (i >= s->n)
			break;
		__u32 deed = s->deed[i], block = s->block[i];
		if (deed != CONNECT && deed != CONNECT_EXCEPT)
			continue;
		int listed = to->family == AF_INET ? listed4(block, to) : listed6(block, to);
		if (!listed == (deed == CONNECT_EXCEPT))
			return block + 1;
	}
	return 0;
}

/* An IPv4 address that is written as one of IPv6 goes out as IPv4. */
static __always_inline void unmap(struct to *to)
{
	if (to->family == AF_INET6 && !to->addr[0] && !to->addr[1] && to->addr[2] == bpf_htonl(0xffff)) {
		to->family = AF_INET;
		to->addr[0] = to->addr[3];
		to->addr[2] = to->addr[3] = 0;
	}
}

/* Connecting to no address is connecting to oneself. */
static __always_inline void loopback(struct to *to)
{
	if (to->addr[0] || to->addr[1] || to->addr[2] || to->addr[3])
		return;
	if (to->family == AF_INET)
		to->addr[0] = bpf_htonl(0x7f000001);
	else
		to->addr[3] = bpf_htonl(1);
}

static __always_inline void tell_to(struct decision *d, const struct to *to)
{
	d->family = to->family;
	d->port = to->port;
	d->proto = to->proto;
	d->addr[0] = to->addr[0];
	d->addr[1] = to->addr[1];
	d->addr[2] = to->addr[2];
	d->addr[3] = to->addr[3];
}

/* The block of the scope that stops a deed, plus one; 0: none. */
__noinline __u32 has_deed(const struct scope *s, __u32 want)
{
	if (!s)
		return 0;
	for (int i = 0; i < BLOCKS; i++) {
		if (i >= s->n)
			break;
		if (s->deed[i] == want)
			return s->block[i] + 1;
	}
	return 0;
}

static __always_inline int address(struct bpf_sock_addr *ctx, struct to *to)
{
	__u32 tgid = bpf_get_current_pid_tgid() >> 32;
	if (tgid == self)
		return 1;
	unmap(to);
	loopback(to);
	int watched = 0;
	for (int level = 0; level < LEVELS; level++) {
		__u64 cgroup = bpf_get_current_ancestor_cgroup_id(level);
		if (!cgroup)
			break;
		struct scope *s = bpf_map_lookup_elem(&scopes, &cgroup);
		if (!s)
			continue;
		watched = 1;
		__u32 block = stopped(s, to);
		if (!block)
			continue;
		struct decision *d = decide(block - 1, bpf_get_current_cgroup_id(), DENIED);
		if (d) {
			d->pid = tgid;
			bpf_get_current_comm(d->comm, sizeof(d->comm));
			tell_to(d, to);
			bpf_ringbuf_submit(d, 0);
		}
		return 0;
	}
	if (watched) {
		struct owner o = {.pid = tgid};
		bpf_get_current_comm(o.comm, sizeof(o.comm));
		__u64 cookie = bpf_get_socket_cookie(ctx);
		bpf_map_update_elem(&owners, &cookie, &o, BPF_ANY);
	}
	return 1;
}

static __always_inline int address4(struct bpf_sock_addr *ctx)
{
	struct to to = {.family = AF_INET, .proto = ctx->protocol};
	to.addr[0] = ctx->user_ip4;
	to.port = bpf_ntohs(ctx->user_port);
	return address(ctx, &to);
}

static __always_inline int address6(struct bpf_sock_addr *ctx)
{
	struct to to = {.family = AF_INET6, .proto = ctx->protocol};
	to.addr[0] = ctx->user_ip6[0];
	to.addr[1] = ctx->user_ip6[1];
	to.addr[2] = ctx->user_ip6[2];
	to.addr[3] = ctx->user_ip6[3];
	to.port = bpf_ntohs(ctx->user_port);
	return address(ctx, &to);
}

SEC("cgroup/connect4")
int connect4(struct bpf_sock_addr *ctx)
{
	return address4(ctx);
}

SEC("cgroup/connect6")
int connect6(struct bpf_sock_addr *ctx)
{
	return address6(ctx);
}

SEC("cgroup/sendmsg4")
int sendmsg4(struct bpf_sock_addr *ctx)
{
	return address4(ctx);
}

SEC("cgroup/sendmsg6")
int sendmsg6(struct bpf_sock_addr *ctx)
{
	return address6(ctx);
}

#define WORD8(a, b, c, d, e, f, g, h) \
	((__u64)(a) << 56 | (__u64)(b) << 48 | (__u64)(c) << 40 | (__u64)(d) << 32 | \
	 (__u64)(e) << 24 | (__u64)(f) << 16 | (__u64)(g) << 8 | (__u64)(h))
#define METHOD WORD8('"', 'm', 'e', 't', 'h', 'o', 'd', '"')
#define MINING WORD8(0, 'm', 'i', 'n', 'i', 'n', 'g', '.')
#define LOGIN WORD8(0, 0, 0, 'l', 'o', 'g', 'i', 'n')
#define SUBMIT WORD8(0, 0, 's', 'u', 'b', 'm', 'i', 't')
#define GETJOB WORD8(0, 0, 'g', 'e', 't', 'j', 'o', 'b')
#define ETH_SUBM WORD8('e', 't', 'h', '_', 's', 'u', 'b', 'm')
#define ETH_GETW WORD8('e', 't', 'h', '_', 'g', 'e', 't', 'W')

#define VALUE 40 /* bytes behind the key that are looked at */

static __always_inline int space(__u8 c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

/* Whether what stands behind the key "method" is a method of stratum. */
__noinline int calls_stratum(const struct text *t, __u32 from, __u32 len)
{
	if (!t)
		return 0;
	__u64 word = 0;
	__u32 quotes = 0;
	for (__u32 i = 0; i < VALUE; i++) {
		__u32 at = from + i;
		if (at >= len || at >= PAYLOAD)
			break;
		asm volatile("" : "+r"(at));
		__u8 c = t->b[at & 0xff];
		if (!quotes) {
			if (c == '"')
				quotes = 1;
			else if (c != ':' && !space(c))
				return 0;
			continue;
		}
		if (c == '"')
			return word == LOGIN || word == SUBMIT || word == GETJOB;
		word = word << 8 | c;
		if (word == MINING)
			return 1;
		if (word >> 56) /* eight of them */
			return word == ETH_SUBM || word == ETH_GETW;
	}
	return 0;
}

/* Whether a segment is a JSON object that calls a method of stratum. */
__noinline int stratum(const struct text *t, __u32 len)
{
	if (!t)
		return 0;
	__u64 word = 0;
	__u8 first = t->b[0];
	if (first != '{' && first != '[' && !space(first))
		return 0;
	for (__u32 i = 0; i < PAYLOAD; i++) {
		if (i >= len)
			break;
		word = word << 8 | t->b[i];
		if (word == METHOD)
			return calls_stratum(t, i + 1, len);
	}
	return 0;
}

struct transport {
	__u32 payload; /* offset */
	__u8 begins;   /* a connection that is asked for, or what has no connections */
};

/* Reads where the packet goes; 0: it is no packet of IP. */
__noinline int headers(struct __sk_buff *skb, struct to *to, struct transport *tr)
{
	if (!to || !tr)
		return 0;
	__u32 off;
	__u8 first;
	if (bpf_skb_load_bytes(skb, 0, &first, 1))
		return 0;
	if (first >> 4 == 4) {
		to->family = AF_INET;
		off = (first & 15) * 4;
		if (bpf_skb_load_bytes(skb, 9, &to->proto, 1) || bpf_skb_load_bytes(skb, 16, to->addr, 4))
			return 0;
		__u16 fragment;
		if (bpf_skb_load_bytes(skb, 6, &fragment, 2))
			return 0;
		if (fragment & bpf_htons(0x1fff)) { /* not the first: it has no ports */
			tr->begins = 0;
			tr->payload = 0;
			return 1;
		}
	} else if (first >> 4 == 6) {
		to->family = AF_INET6;
		off = 40;
		if (bpf_skb_load_bytes(skb, 6, &to->proto, 1) || bpf_skb_load_bytes(skb, 24, to->addr, 16))
			return 0;
		for (int i = 0; i < 4; i++) { /* hop-by-hop, routing, destination options */
			__u8 next[2];
			if (to->proto != 0 && to->proto != 43 && to->proto != 60)
				break;
			if (bpf_skb_load_bytes(skb, off, next, 2))
				return 0;
			to->proto = next[0];
			off += (next[1] + 1) * 8;
		}
	} else
		return 0;
	tr->begins = 1;
	tr->payload = 0;
	if (to->proto == 6 || to->proto == 17 || to->proto == 132 || to->proto == 136) {
		__u16 port;
		if (bpf_skb_load_bytes(skb, off + 2, &port, 2))
			return 1;
		to->port = bpf_ntohs(port);
	}
	if (to->proto == 6) {
		__u8 tcp[2];
		if (bpf_skb_load_bytes(skb, off + 12, tcp, 2))
			return 1;
		tr->begins = (tcp[1] & 0x12) == 2; /* SYN without ACK */
		tr->payload = off + (tcp[0] >> 4) * 4;
	}
	return 1;
}

__noinline int mines(struct __sk_buff *skb, __u32 off)
{
	__u32 zero = 0, len = skb->len;
	struct text *t = bpf_map_lookup_elem(&texts, &zero);
	if (!t || !off || off >= len)
		return 0;
	__u64 n = len - off;
	if (n > PAYLOAD)
		n = PAYLOAD;
	asm volatile("" : "+r"(n)); /* else the compiler drops what the verifier has to see */
	n &= 0xff;
	if (n < 16)
		return 0;
	if (bpf_skb_load_bytes(skb, off, t->b, n))
		return 0;
	return stratum(t, n);
}

static __always_inline void tell_packet(struct __sk_buff *skb, __u32 block, const struct to *to)
{
	struct decision *d = decide(block, bpf_skb_cgroup_id(skb), CUT);
	if (!d)
		return;
	__u64 cookie = bpf_get_socket_cookie(skb);
	struct owner *o = bpf_map_lookup_elem(&owners, &cookie);
	if (o) {
		d->pid = o->pid;
		__builtin_memcpy(d->comm, o->comm, sizeof(d->comm));
	}
	tell_to(d, to);
	bpf_ringbuf_submit(d, 0);
}

SEC("cgroup_skb/egress")
int egress(struct __sk_buff *skb)
{
	struct to to = {};
	struct transport tr = {};
	if (!headers(skb, &to, &tr))
		return 1;
	unmap(&to);
	int mining = -1;
	for (int level = 0; level < LEVELS; level++) {
		__u64 cgroup = bpf_skb_ancestor_cgroup_id(skb, level);
		if (!cgroup)
			break;
		struct scope *s = bpf_map_lookup_elem(&scopes, &cgroup);
		if (!s)
			continue;
		__u32 block;
		if (tr.begins && (block = stopped(s, &to))) {
			__u64 cookie = bpf_get_socket_cookie(skb);
			struct owner *o = bpf_map_lookup_elem(&owners, &cookie);
			if (o && o->pid == self)
				return 1;
			tell_packet(skb, block - 1, &to);
			return 0;
		}
		if (to.proto != 6 || !(block = has_deed(s, MINE)))
			continue;
		if (mining < 0)
			mining = mines(skb, tr.payload);
		if (mining) {
			tell_packet(skb, block - 1, &to);
			return 0;
		}
	}
	return 1;
}

/* A table has no branches, of which there would be one for each byte of a name and each before it. */
static const volatile __u8 hex[256] = {
	['0'] = 1, ['1'] = 1, ['2'] = 1, ['3'] = 1, ['4'] = 1, ['5'] = 1, ['6'] = 1, ['7'] = 1, ['8'] = 1, ['9'] = 1,
	['a'] = 1, ['b'] = 1, ['c'] = 1, ['d'] = 1, ['e'] = 1, ['f'] = 1,
};

#define CONMON ((__u64)'c' << 40 | (__u64)'o' << 32 | (__u64)'n' << 24 | 'm' << 16 | 'o' << 8 | 'n')

/* Whether a cgroup is called as engines call those of containers: 64 hex digits, with a word before or behind
 * them. That of what looks after a container (crio-conmon-...) is none. */
__noinline int of_container(const struct text *t)
{
	if (!t)
		return 0;
	__u64 word = 0, run = 0; /* a bit for each of the last bytes */
	for (__u32 i = 0; i < 128; i++) {
		__u8 c = t->b[i];
		if (!c)
			break;
		word = (word << 8 | c) & 0xffffffffffff;
		if (word == CONMON)
			return 0;
		run = run << 1 | hex[c];
		if (run == ~0ULL)
			return 1;
	}
	return 0;
}

/* The id of a cgroup of the unified hierarchy; 0: it is of another. */
static __always_inline __u64 unified_id(struct cgroup *c)
{
	return BPF_CORE_READ(c, root, hierarchy_id) ? 0 : BPF_CORE_READ(c, kn, id);
}

/* Nobody sees the cgroup before this has ended: nothing of a container runs before its scope is there. */
SEC("raw_tracepoint/cgroup_mkdir")
int made(struct bpf_raw_tracepoint_args *ctx)
{
	struct cgroup *c = (void *)ctx->args[0];
	__u32 zero = 0;
	struct scope *s = bpf_map_lookup_elem(&newcomers, &zero);
	struct text *t = bpf_map_lookup_elem(&texts, &zero);
	__u64 id = unified_id(c);
	if (!s || !s->n || !t || !id)
		return 0;
	if (bpf_probe_read_kernel_str(t->b, 128, BPF_CORE_READ(c, kn, name)) < 64 || !of_container(t))
		return 0;
	if (bpf_map_update_elem(&scopes, &id, s, BPF_ANY))
		count(LOST);
	return 0;
}

SEC("raw_tracepoint/cgroup_rmdir")
int gone(struct bpf_raw_tracepoint_args *ctx)
{
	__u64 id = unified_id((void *)ctx->args[0]);
	if (id)
		bpf_map_delete_elem(&scopes, &id);
	return 0;
}

/* Whether the file is in the upper layer of an overlay, or in memory since the container began. */
static __always_inline int drifted(struct inode *inode, unsigned long magic)
{
	if (magic == TMPFS_MAGIC)
		return 1;
	if (magic != OVERLAYFS_MAGIC || !bpf_core_field_exists(struct ovl_inode, __upperdentry))
		return 0;
	struct ovl_inode *o = (void *)inode - bpf_core_field_offset(struct ovl_inode, vfs_inode);
	return BPF_CORE_READ(o, __upperdentry) != 0;
}

static __always_inline int on_node(struct task_struct *task)
{
	return BPF_CORE_READ(task, nsproxy, mnt_ns, ns.inum) == node_mnt_ns;
}

/* Engines start containers from a copy of themselves in memory, as its name says (runc_cloned:..., crun_cloned:...),
 * that still sees the node's files. */
static __always_inline int clone_of_engine(const char *name)
{
	for (int i = 0; i < 16; i++)
		if (name[i] == '_')
			return name[i + 1] == 'c' && name[i + 2] == 'l' && name[i + 3] == 'o' && name[i + 4] == 'n';
	return 0;
}

/* The block that stops the file from being executed, plus one; 0: none. name is what the file is called. */
static __always_inline __u32 forbidden(struct linux_binprm *bprm, char *name, __u32 size)
{
	struct task_struct *task = (void *)bpf_get_current_task();
	int looked = 0, memory = 0, drift = 0;

	for (int level = 0; level < LEVELS; level++) {
		__u64 cgroup = bpf_get_current_ancestor_cgroup_id(level);
		if (!cgroup)
			break;
		struct scope *s = bpf_map_lookup_elem(&scopes, &cgroup);
		if (!s)
			continue;
		if (!looked) {
			struct file *file = BPF_CORE_READ(bprm, file);
			struct inode *inode = BPF_CORE_READ(file, f_inode);
			unsigned long magic = BPF_CORE_READ(inode, i_sb, s_magic);
			bpf_probe_read_kernel_str(name, size, BPF_CORE_READ(file, f_path.dentry, d_name.name));
			memory = BPF_CORE_READ(inode, i_nlink) == 0;
			if (on_node(task))
				memory = memory && !clone_of_engine(name);
			else
				drift = memory || drifted(inode, magic);
			looked = 1;
		}
		__u32 block;
		if (memory && (block = has_deed(s, EXEC_MEMORY)))
			return block;
		if (drift && (block = has_deed(s, EXEC_DRIFT)))
			return block;
	}
	return 0;
}

static __always_inline void tell_file(__u32 block, __u8 act, struct linux_binprm *bprm, const char *name)
{
	struct decision *d = decide(block, bpf_get_current_cgroup_id(), act);
	if (!d)
		return;
	d->pid = bpf_get_current_pid_tgid() >> 32;
	d->start = BPF_CORE_READ((struct task_struct *)bpf_get_current_task(), start_boottime);
	bpf_get_current_comm(d->comm, sizeof(d->comm));
	bpf_probe_read_kernel_str(d->path, sizeof(d->path), BPF_CORE_READ(bprm, filename));
	__builtin_memcpy(d->file, name, sizeof(d->file));
	bpf_ringbuf_submit(d, 0);
}

SEC("raw_tracepoint/sched_process_exec")
int executed(struct bpf_raw_tracepoint_args *ctx)
{
	struct linux_binprm *bprm = (void *)ctx->args[2];
	char name[64] = {};
	if (bpf_get_current_pid_tgid() >> 32 == self)
		return 0;
	__u32 block = forbidden(bprm, name, sizeof(name));
	if (!block)
		return 0;
	if (bpf_send_signal(9))
		count(LOST);
	tell_file(block - 1, KILLED, bprm, name);
	return 0;
}

/* Where there is BPF LSM, nothing has to be killed. */
SEC("lsm/bprm_check_security")
int BPF_PROG(check, struct linux_binprm *bprm, int ret)
{
	char name[64] = {};
	if (ret || bpf_get_current_pid_tgid() >> 32 == self)
		return ret;
	__u32 block = forbidden(bprm, name, sizeof(name));
	if (!block)
		return 0;
	tell_file(block - 1, DENIED, bprm, name);
	return -1; /* EPERM */
}
