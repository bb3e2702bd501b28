// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// Redirects through a hash map: it wants a map of devices, of processors or of sockets.
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 64);
	__type(key, __u32);
	__type(value, __u32);
} ports SEC(".maps");

SEC("xdp")
int to_port(struct xdp_md *ctx)
{
	return bpf_redirect_map(&ports, ctx->ingress_ifindex, 0); /* HERE */
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
