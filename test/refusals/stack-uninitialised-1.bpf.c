// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// A key with two bytes of padding, which setting its members one by one does not fill.
#include <linux/bpf.h>
#include <linux/if_ether.h>
#include <linux/ip.h>
#include <linux/pkt_cls.h>
#include <bpf/bpf_helpers.h>

struct service {
	__be32 address;
	__u16 port;
};

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 128);
	__type(key, struct service);
	__type(value, __u32);
} services SEC(".maps");

SEC("tc")
int known_service(struct __sk_buff *skb)
{
	const __u32 offset = ETH_HLEN + __builtin_offsetof(struct iphdr, daddr);
	struct service key;
	__u32 *backend;

	if (bpf_skb_load_bytes(skb, offset, &key.address, sizeof(key.address)) < 0)
		return TC_ACT_OK;
	key.port = skb->mark;
	backend = bpf_map_lookup_elem(&services, &key); /* HERE */
	return backend ? TC_ACT_OK : TC_ACT_SHOT;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
