// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// One way out of the function leaves the lock locked.
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

struct bucket {
	struct bpf_spin_lock lock;
	__u32 tokens;
	__u64 refilled;
};

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 1024);
	__type(key, __u32);
	__type(value, struct bucket);
} buckets SEC(".maps");

static __always_inline int take(struct bucket *bucket)
{
	bpf_spin_lock(&bucket->lock); /* HERE */
	if (bucket->tokens == 0) /* HERE */
		return 0; /* HERE */
	bucket->tokens--;
	bpf_spin_unlock(&bucket->lock);
	return 1;
}

SEC("xdp")
int limit(struct xdp_md *ctx)
{
	__u32 key = ctx->ingress_ifindex;
	struct bucket *bucket = bpf_map_lookup_elem(&buckets, &key);

	if (!bucket)
		return XDP_PASS;
	if (take(bucket))
		return XDP_PASS;
	return XDP_DROP; /* HERE */
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
