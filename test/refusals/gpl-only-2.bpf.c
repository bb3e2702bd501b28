// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// Sends samples of packets to user space with a helper that is for programs under the GPL.
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

struct {
	__uint(type, BPF_MAP_TYPE_PERF_EVENT_ARRAY);
	__uint(key_size, sizeof(__u32));
	__uint(value_size, sizeof(__u32));
} samples SEC(".maps");

static __always_inline void sample(struct xdp_md *ctx)
{
	__u64 length = ctx->data_end - ctx->data;
	__u64 flags = BPF_F_CURRENT_CPU | (64ULL << 32);

	bpf_perf_event_output(ctx, &samples, flags, &length, sizeof(length)); /* HERE */
}

SEC("xdp")
int one_in_a_hundred(struct xdp_md *ctx)
{
	if (bpf_get_prandom_u32() % 100 == 0)
		sample(ctx);
	return XDP_PASS;
}

char LICENSE[] SEC("license") = "Apache-2.0"; /* HERE */
