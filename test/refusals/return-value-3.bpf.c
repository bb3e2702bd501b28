// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// Returns what a helper returned, an error number perhaps, as the verdict.
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

struct {
	__uint(type, BPF_MAP_TYPE_SOCKMAP);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, __u64);
} servers SEC(".maps");

SEC("sk_lookup")
int to_server(struct bpf_sk_lookup *ctx)
{
	__u32 key = 0;
	struct bpf_sock *server = bpf_map_lookup_elem(&servers, &key);
	long failed;

	if (!server)
		return SK_PASS;
	failed = bpf_sk_assign(ctx, server, 0); /* HERE */
	bpf_sk_release(server);
	return failed; /* HERE */
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
