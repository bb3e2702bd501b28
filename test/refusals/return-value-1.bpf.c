// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// Drops with the verdict of tc: a cgroup program says 0 for drop and 1 for pass.
#include <linux/bpf.h>
#include <linux/pkt_cls.h>
#include <bpf/bpf_helpers.h>

SEC("cgroup_skb/ingress")
int no_jumbo(struct __sk_buff *skb)
{
	int verdict = 1;

	if (skb->len > 1500) /* HERE */
		verdict = TC_ACT_SHOT; /* HERE */
	return verdict; /* HERE */
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
