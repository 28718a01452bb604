/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/* What of the kernel's own types the programs read; the loader finds the fields where the running kernel has them. */
#pragma once

#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_core_read.h>

typedef __u8 u8;
typedef __u16 u16;
typedef __u32 u32;
typedef __u64 u64;
typedef _Bool bool;
enum { false = 0, true = 1 };

#pragma clang attribute push(__attribute__((preserve_access_index)), apply_to = record)

#if defined(__TARGET_ARCH_x86)
struct pt_regs { unsigned long orig_ax; };
struct thread_info { unsigned long flags; u32 status; };
#else
struct pt_regs { int syscallno; };
struct thread_info { unsigned long flags; };
#endif

struct ns_common { unsigned int inum; };
struct mnt_namespace { struct ns_common ns; };
struct nsproxy { struct mnt_namespace *mnt_ns; };
typedef struct { u32 val; } kuid_t;
struct cred { kuid_t euid; };
struct vfsmount { void *mnt_root; };
struct mount { struct vfsmount mnt; struct mnt_namespace *mnt_ns; };
struct path { struct vfsmount *mnt; };
struct file { struct path f_path; };
struct mm_struct { struct file *exe_file; };

struct task_struct {
	struct thread_info thread_info;
	int pid, tgid;
	struct task_struct *group_leader;
	u64 start_boottime;
	struct nsproxy *nsproxy;
	const struct cred *real_cred, *cred;
	struct mm_struct *mm;
	char comm[16];
};

#pragma clang attribute pop
