// SPDX-License-Identifier: GPL-2.0-only OR MIT
// What the kernel knows of each process.
#include "process.h"

char LICENSE[] SEC("license") = "Dual MIT/GPL";

struct task { struct procpart p; u64 cgroup; };

SEC("iter/task")
int each(struct bpf_iter__task *ctx) {
	struct task_struct *t = ctx->task;
	if (!t || BPF_CORE_READ(t, pid) != BPF_CORE_READ(t, tgid))
		return 0;
	struct task one;
	describe(&one.p, t);
	describe_file(&one.p, t);
	struct kernfs_node *kn = BPF_CORE_READ(t, cgroups, dfl_cgrp, kn);
	one.cgroup = BPF_CORE_READ(kn, id);
	bpf_seq_write(ctx->meta->seq, &one, sizeof(one));
	return 0;
}
