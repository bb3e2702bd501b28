// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// Two functions, each with a buffer that fits into the 512 bytes of the stack, which they share.
#include <linux/bpf.h>
#include <linux/if_ether.h>
#include <linux/pkt_cls.h>
#include <bpf/bpf_helpers.h>

#define PART 264

static __noinline int checksum_of(struct __sk_buff *skb, __u32 offset) /* HERE */
{
	char part[PART]; /* HERE */

	if (bpf_skb_load_bytes(skb, offset, part, sizeof(part)) < 0) /* HERE */
		return 0;
	return bpf_csum_diff(0, 0, (__be32 *)part, sizeof(part), 0);
}

SEC("tc")
int compare(struct __sk_buff *skb) /* HERE */
{
	char head[PART]; /* HERE */

	if (bpf_skb_load_bytes(skb, 0, head, sizeof(head)) < 0) /* HERE */
		return TC_ACT_OK;
	if (checksum_of(skb, PART) == bpf_csum_diff(0, 0, (__be32 *)head, sizeof(head), 0)) /* HERE */
		return TC_ACT_SHOT;
	return TC_ACT_OK;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
