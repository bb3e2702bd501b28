// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// Sends the beginning of each packet out of a buffer of 256 bytes, and gives the length of the
// whole packet.
#include <linux/bpf.h>
#include <linux/pkt_cls.h>
#include <bpf/bpf_helpers.h>

struct {
	__uint(type, BPF_MAP_TYPE_PERF_EVENT_ARRAY);
	__uint(key_size, sizeof(__u32));
	__uint(value_size, sizeof(__u32));
} captured SEC(".maps");

SEC("tc")
int capture(struct __sk_buff *skb)
{
	char head[256] = {};

	if (skb->len >= sizeof(head) && bpf_skb_load_bytes(skb, 0, head, sizeof(head)) == 0)
		bpf_perf_event_output(skb, &captured, BPF_F_CURRENT_CPU, head, skb->len); /* HERE */
	return TC_ACT_OK;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
