// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// Sets the length of the packet: that member of the context can only be read.
#include <linux/bpf.h>
#include <linux/pkt_cls.h>
#include <bpf/bpf_helpers.h>

#define HEADERS 128

SEC("tc")
int headers_only(struct __sk_buff *skb)
{
	skb->priority = 7;
	if (skb->len > HEADERS)
		skb->len = HEADERS; /* HERE */
	return TC_ACT_OK;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
