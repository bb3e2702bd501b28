// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// Refuses a connection with an error number, as system calls do.
#include <linux/bpf.h>
#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>

#define EPERM 1

SEC("cgroup/connect4")
int local_only(struct bpf_sock_addr *ctx)
{
	if ((bpf_ntohl(ctx->user_ip4) >> 24) == 127) /* HERE */
		return 1;
	return -EPERM; /* HERE */
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
