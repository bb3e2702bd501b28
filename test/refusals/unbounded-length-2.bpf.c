// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// Sends as many bytes as a helper said that it had read, which is a negative number when it failed.
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

#define LONGEST 128

struct sys_enter_openat {
	__u64 common;
	__u64 number;
	__u64 directory;
	const char *path;
	__u64 flags;
	__u64 mode;
};

struct {
	__uint(type, BPF_MAP_TYPE_PERF_EVENT_ARRAY);
	__uint(key_size, sizeof(__u32));
	__uint(value_size, sizeof(__u32));
} opened SEC(".maps");

SEC("tracepoint/syscalls/sys_enter_openat")
int tell_path(struct sys_enter_openat *ctx)
{
	char path[LONGEST] = {};
	long length = bpf_probe_read_user_str(path, sizeof(path), ctx->path);

	if (length > LONGEST)
		length = LONGEST;
	bpf_perf_event_output(ctx, &opened, BPF_F_CURRENT_CPU, path, length); /* HERE */
	return 0;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
