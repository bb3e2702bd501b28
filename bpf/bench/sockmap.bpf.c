// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Redirects the bytes of a TCP connection from socket to socket, and counts
 * them, for `netkit bench sockmap`: those that a proxy received to its other
 * connection (sk_skb), or those that one end sends into the other end (sk_msg).
 */
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

/* The local port of one of the two sockets alone. */
volatile const __u32 listener = 0;

#define FROM_LISTENER 0
#define TO_LISTENER 1

/* Where bytes go that come from the socket with that port, and those from the other: to it. */
struct {
	__uint(type, BPF_MAP_TYPE_SOCKMAP);
	__uint(max_entries, 2);
	__type(key, __u32);
	__type(value, __u32);
} sockets SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, __u64);
} redirected SEC(".maps");

static __always_inline __u32 way(__u32 local_port, __u32 bytes)
{
	__u32 key = 0;
	__u64 *counter = bpf_map_lookup_elem(&redirected, &key);

	if (counter)
		*counter += bytes;
	return local_port == listener ? FROM_LISTENER : TO_LISTENER;
}

SEC("sk_skb/stream_verdict") int hand_on(struct __sk_buff *skb)
{
	return (int)bpf_sk_redirect_map(skb, &sockets, way(skb->local_port, skb->len), 0);
}

SEC("sk_msg") int hand_over(struct sk_msg_md *msg)
{
	return (int)bpf_msg_redirect_map(msg, &sockets, way(msg->local_port, msg->size),
					 BPF_F_INGRESS);
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
