// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// Waits until user space has set a flag.
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, __u32);
} ready SEC(".maps");

SEC("xdp")
int wait(struct xdp_md *ctx)
{
	__u32 key = 0;
	volatile __u32 *flag = bpf_map_lookup_elem(&ready, &key);

	if (!flag)
		return XDP_PASS;
	while (!*flag) /* HERE */
		;
	return XDP_PASS;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
