// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// A tail call out of a function whose caller has a large buffer: only 256 bytes of stack may be in
// use then.
#include <linux/bpf.h>
#include <linux/pkt_cls.h>
#include <bpf/bpf_helpers.h>

struct {
	__uint(type, BPF_MAP_TYPE_PROG_ARRAY);
	__uint(max_entries, 8);
	__type(key, __u32);
	__type(value, __u32);
} next SEC(".maps");

static __noinline int continue_with(struct __sk_buff *skb, __u32 stage) /* HERE */
{
	volatile int missed = TC_ACT_OK;

	bpf_tail_call(skb, &next, stage); /* HERE */
	return missed;
}

SEC("tc")
int first_stage(struct __sk_buff *skb) /* HERE */
{
	char head[320]; /* HERE */

	if (bpf_skb_load_bytes(skb, 0, head, sizeof(head)) < 0) /* HERE */
		return TC_ACT_OK;
	return continue_with(skb, head[12] & 7); /* HERE */
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
