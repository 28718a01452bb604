package lab

// escapes lead from a container to its node.
func escapes() []Action {
	return []Action{
		{
			Name: "mount-disk", Row: 1, Rule: "escape/device-mounted", Escape: true, Options: Options{Privileged: true}, Before: disk,
			Script: "mount -t ext4 $LAB_DISK /mnt\nls /mnt/lost+found\numount /mnt\necho done",
			Twin:   Twin{Script: "mount -t tmpfs none /mnt\nls /mnt\numount /mnt\necho done"},
		},
		{
			Name: "make-disk", Row: 1, Rule: "escape/device-made", Escape: true,
			Script: "mknod /tmp/disk b 7 200\ntest -b /tmp/disk\necho done",
			Twin:   Twin{Script: "mkfifo /tmp/pipe\ntest -p /tmp/pipe\necho done"},
		},
		{
			Name: "core-pattern", Row: 2, Rule: "escape/core-pattern", Escape: true, Options: Options{Privileged: true}, Before: keep("/proc/sys/kernel/core_pattern"),
			Script: "old=$(cat /proc/sys/kernel/core_pattern)\necho '|/lab-does-not-exist %P' > /proc/sys/kernel/core_pattern\ngrep -q lab-does /proc/sys/kernel/core_pattern && said=done\n" +
				"echo \"$old\" > /proc/sys/kernel/core_pattern\necho $said",
			Twin: Twin{Script: "cat /proc/sys/kernel/core_pattern\necho done"},
		},
		{
			Name: "release-agent", Row: 3, Rule: "escape/release-agent", Escape: true, Options: Options{Privileged: true}, Before: controllers,
			Script: "mkdir /tmp/c\nmount -t cgroup -o none,name=lab$$ none /tmp/c\nmkdir /tmp/c/x\necho 1 > /tmp/c/x/notify_on_release\necho /lab-does-not-exist > /tmp/c/release_agent\n" +
				"grep -q lab-does /tmp/c/release_agent && said=done\necho > /tmp/c/release_agent\nrmdir /tmp/c/x\numount /tmp/c\necho $said",
			Twin: Twin{Script: "cat /proc/self/cgroup\nls /sys/fs/cgroup\necho done"},
		},
		{
			Name: "kernel-panic", Row: 5, Rule: "escape/kernel-setting", Escape: true, Options: Options{Privileged: true}, Before: keep("/proc/sys/kernel/panic"),
			Script: "n=$(cat /proc/sys/kernel/panic)\necho $n > /proc/sys/kernel/panic\necho done",
			Twin:   Twin{Script: "cat /proc/sys/kernel/panic\necho done"},
		},
		{
			Name: "devices-allow", Row: 6, Rule: "escape/cgroup-devices", Escape: true, Options: Options{Privileged: true}, Before: controllers,
			Script: "mkdir /tmp/c\nmount -t cgroup -o devices none /tmp/c\nmkdir /tmp/c/lab$$\necho 'c 1:3 rwm' > /tmp/c/lab$$/devices.allow && said=done\nrmdir /tmp/c/lab$$\numount /tmp/c\necho $said",
			Twin:   Twin{Script: "cat /sys/fs/cgroup/devices/devices.list\necho done"},
		},
		{
			Name: "runtime-binary", Row: 7, Rule: "escape/runtime-overwrite", Escape: true, Options: Options{Mounts: []string{"DIR:/host/sbin"}}, Before: runtimeFolder,
			Script: "for i in $(seq 100); do (: >> /host/sbin/runc) 2> /dev/null && echo done && break; sleep 0.05; done", // not while one runs
			Twin:   Twin{Script: "head -c 4 /host/sbin/runc > /dev/null\necho done"},
		},
		{
			Name: "enter-node", Row: 9, Rule: "escape/host-namespace", Escape: true, Options: Options{Privileged: true, HostPID: true}, Before: victim,
			Script: "nsenter -t $LAB_PID -m -u -n -- /bin/ls / > /dev/null\necho done",
			Twin:   Twin{Options: &Options{Privileged: true}, Script: "nsenter -t $$ -u -- /bin/ls / > /dev/null\necho done"},
		},
		{
			Name: "user-namespace", Row: 10, Rule: "escape/user-namespace", Escape: true, Options: Options{SecurityOpt: []string{"seccomp=unconfined"}, User: "1000:1000"},
			Script: "unshare -U -r grep CapEff /proc/self/status | grep -q 0000000000000000 || echo done",
			Twin:   Twin{Script: "grep CapEff /proc/self/status | grep -q 0000000000000000 && echo done"},
		},
		{
			Name: "ptrace-node", Row: 11, Rule: "escape/ptrace", Escape: true, Options: Options{HostPID: true, CapAdd: []string{"SYS_PTRACE"}}, Before: victim,
			Script: "lab ptrace $LAB_PID",
			Twin:   Twin{Options: &Options{CapAdd: []string{"SYS_PTRACE"}}, Script: "lab ptrace-own"},
		},
		{
			Name: "write-memory", Row: 12, Rule: "escape/process-memory", Escape: true, Options: Options{HostPID: true, CapAdd: []string{"SYS_PTRACE"}}, Before: victim,
			Script: "lab memwrite $LAB_PID",
			Twin:   Twin{Script: "cat /proc/self/maps > /dev/null\necho done"},
		},
		{
			Name: "process-vm-writev", Row: 12, Rule: "escape/process-memory", Escape: true, Options: Options{HostPID: true, CapAdd: []string{"SYS_PTRACE"}}, Before: victim,
			Script: "lab vmwrite $LAB_PID",
			Twin:   Twin{Script: "cat /proc/self/status > /dev/null\necho done"},
		},
		{
			Name: "shocker", Row: 13, Rule: "escape/open-by-handle", Escape: true, Options: Options{CapAdd: []string{"DAC_READ_SEARCH"}},
			Script: "lab shocker /etc/hosts",
			Twin:   Twin{Script: "cat /etc/hosts > /dev/null\necho done"},
		},
		{
			Name: "engine-socket", Row: 18, Rule: "escape/runtime-socket", Escape: true, Options: Options{Mounts: []string{"SOCKET:/var/run/docker.sock"}},
			Script: "lab unix /var/run/docker.sock",
			Twin:   Twin{Options: &Options{}, Script: "lab unix-own /tmp/own.sock"},
		},
		{
			Name: "proc-root", Row: 22, Rule: "escape/outside-root", Escape: true, Options: Options{HostPID: true, CapAdd: []string{"SYS_PTRACE"}}, Before: victim,
			Script: "cat /proc/$LAB_PID/root/etc/passwd > /dev/null\necho done",
			Twin:   Twin{Options: &Options{}, Script: "cat /proc/self/root/etc/passwd > /dev/null\necho done"},
		},
		{
			Name: "log-link", Row: 23, Rule: "escape/log-link", Escape: true, Options: Options{Mounts: []string{"DIR:/var/log"}}, Before: logFolder,
			Script: "ln -s /etc/shadow /var/log/lab.log\necho done",
			Twin:   Twin{Script: "echo started >> /var/log/lab.log\necho done"},
		},
	}
}

// kernelAbuse is what containers should not ask of the kernel.
func kernelAbuse() []Action {
	open := Options{SecurityOpt: []string{"seccomp=unconfined"}}
	return []Action{
		{
			Name: "module", Row: 14, Rule: "escape/kernel-module", Escape: true, Before: modules, Options: Options{CapAdd: []string{"SYS_MODULE"}, SecurityOpt: open.SecurityOpt},
			Script: "lab module", Twin: Twin{Script: "cat /proc/version\necho done"},
		},
		{Name: "bpf", Row: 15, Rule: "escape/bpf-program", Escape: true, Options: Options{Privileged: true}, Script: "lab bpf", Twin: Twin{Script: "ls /sys/fs\necho done"}},
		{Name: "perf-event", Row: 16, Rule: "escape/kernel-surface", Options: Options{Privileged: true}, Script: "lab perf", Twin: Twin{Script: "cat /proc/loadavg\necho done"}},
		{Name: "userfaultfd", Row: 16, Rule: "escape/kernel-surface", Options: Options{Privileged: true}, Script: "lab userfaultfd", Twin: Twin{Script: "cat /proc/meminfo > /dev/null\necho done"}},
		{Name: "io-uring", Row: 50, Rule: "escape/io-uring", Options: open, Script: "lab uring", Twin: Twin{Script: "cat /srv/index.html\necho done"}},
		{Name: "packet-socket", Row: 51, Rule: "network/raw-socket", Script: "lab packet", Twin: Twin{Script: "lab datagram"}},
		{Name: "write-execute", Row: 29, Rule: "drift/written-code", Script: "cp /usr/local/bin/lab /opt/x\n/opt/x wx", Twin: Twin{Script: "lab wx\nlab wr"}},
	}
}
