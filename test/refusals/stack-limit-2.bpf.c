// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// Three functions, each of which calls the next: none of their buffers is large, and together they
// are too large.
#include <linux/bpf.h>
#include <linux/if_ether.h>
#include <bpf/bpf_helpers.h>

#define PART 192

struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 65536);
} parts SEC(".maps");

static __noinline void report(__u32 seed) /* HERE */
{
	__u8 part[PART]; /* HERE */

	__builtin_memset(part, seed, sizeof(part)); /* HERE */
	bpf_ringbuf_output(&parts, part, sizeof(part), 0); /* HERE */
}

static __noinline void mix(__u32 seed) /* HERE */
{
	__u8 part[PART]; /* HERE */

	__builtin_memset(part, seed >> 8, sizeof(part)); /* HERE */
	bpf_ringbuf_output(&parts, part, sizeof(part), 0); /* HERE */
	report(seed); /* HERE */
}

SEC("xdp")
int noise(struct xdp_md *ctx) /* HERE */
{
	__u8 part[PART]; /* HERE */
	__u32 seed = bpf_get_prandom_u32();

	__builtin_memset(part, seed >> 16, sizeof(part)); /* HERE */
	bpf_ringbuf_output(&parts, part, sizeof(part), 0); /* HERE */
	if (seed & 1)
		mix(seed); /* HERE */
	return XDP_PASS;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
