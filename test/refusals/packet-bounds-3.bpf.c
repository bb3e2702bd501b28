// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// Looks for the end of a DNS name, and makes sure only that each byte does not start behind the end
// of the packet.
#include <linux/bpf.h>
#include <linux/if_ether.h>
#include <linux/ip.h>
#include <linux/udp.h>
#include <bpf/bpf_helpers.h>

#define DNS_HEADER 12
#define MAX_NAME 64

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, MAX_NAME);
	__type(key, __u32);
	__type(value, __u64);
} lengths SEC(".maps");

SEC("xdp")
int name_lengths(struct xdp_md *ctx)
{
	void *data = (void *)(long)ctx->data;
	void *data_end = (void *)(long)ctx->data_end;
	__u8 *name = data + sizeof(struct ethhdr) + sizeof(struct iphdr) + sizeof(struct udphdr) +
		     DNS_HEADER;
	__u32 length;
	__u64 *count;

	for (length = 0; length < MAX_NAME; length++) {
		if ((void *)(name + length) > data_end)
			return XDP_PASS;
		if (name[length] == 0) /* HERE */
			break;
	}
	count = bpf_map_lookup_elem(&lengths, &length);
	if (count)
		__sync_fetch_and_add(count, 1);
	return XDP_PASS;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
