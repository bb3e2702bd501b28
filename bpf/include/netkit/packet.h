/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * A cursor over the headers of one packet.
 *
 *	struct cursor cursor = cursor_of(ctx->data, ctx->data_end);
 *	__be16 protocol;
 *	enum parsed parsed = parse_ethernet(&cursor, &protocol);
 *
 * Every step checks its bounds first, moves the cursor behind the header that
 * it read, and says how it went:
 *
 *	parsed_ok		the header is complete and makes sense
 *	parsed_truncated	the frame ends inside the header
 *	parsed_malformed	the header contradicts itself (wrong version, a
 *				length shorter than the header)
 *	parsed_too_deep		more VLAN tags or IPv6 extension headers than are
 *				followed: nothing is known about what is inside
 *
 * After anything but parsed_ok the cursor and the results must not be used. A
 * function that lets such packets pass lets a sender choose not to be looked
 * at; the functions of netkit drop them and count why.
 *
 * The length fields of IP are not compared with the frame: the stack behind does
 * that, and knows the cases where they differ for good reason (padding, packets
 * that were merged before they came here).
 *
 * A VLAN tag that the network card took out of the frame is not seen here; the
 * frame then starts with the inner protocol, which is the one that matters.
 */
#ifndef NETKIT_PACKET_H
#define NETKIT_PACKET_H

#include <linux/bpf.h>
#include <linux/if_ether.h>
#include <linux/in.h>
#include <linux/ip.h>
#include <linux/ipv6.h>
#include <linux/types.h>
#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>

/* One 802.1Q tag and one 802.1ad tag around it is what networks use. */
#define NETKIT_MAX_VLAN_TAGS 2
/* RFC 8200 lists six kinds, each once except destination options. */
#define NETKIT_MAX_IPV6_EXTENSIONS 8

enum parsed {
	parsed_ok,
	parsed_truncated,
	parsed_malformed,
	parsed_too_deep,
};

struct cursor {
	void *at;
	void *end;
};

struct vlan_tag {
	__be16 tci;
	__be16 protocol; /* of what follows */
};

/* What an IP header says about fragmentation. */
enum fragment {
	fragment_none,
	fragment_first, /* has the transport header */
	fragment_later, /* has not: ports are unknown */
};

/* The arguments are `data` and `data_end` of an XDP or a tc context. */
static __always_inline struct cursor cursor_of(__u32 data, __u32 data_end)
{
	struct cursor cursor = {
		.at = (void *)(long)data,
		.end = (void *)(long)data_end,
	};

	return cursor;
}

/* Reads past Ethernet and its VLAN tags; PROTOCOL is that of what follows. */
static __always_inline enum parsed parse_ethernet(struct cursor *cursor, __be16 *protocol)
{
	struct ethhdr *ethernet = cursor->at;

	if ((void *)(ethernet + 1) > cursor->end)
		return parsed_truncated;
	cursor->at = ethernet + 1;
	*protocol = ethernet->h_proto;

#pragma unroll
	for (int depth = 0; depth <= NETKIT_MAX_VLAN_TAGS; depth++) {
		struct vlan_tag *tag = cursor->at;

		if (*protocol != bpf_htons(ETH_P_8021Q) && *protocol != bpf_htons(ETH_P_8021AD))
			return parsed_ok;
		if (depth == NETKIT_MAX_VLAN_TAGS)
			break;
		if ((void *)(tag + 1) > cursor->end)
			return parsed_truncated;
		cursor->at = tag + 1;
		*protocol = tag->protocol;
	}
	return parsed_too_deep;
}

/* Reads past an IPv4 header with its options. */
static __always_inline enum parsed parse_ipv4(struct cursor *cursor, struct iphdr **header)
{
	struct iphdr *ip = cursor->at;
	__u32 length;

	if ((void *)(ip + 1) > cursor->end)
		return parsed_truncated;
	length = ip->ihl * 4;
	if (ip->version != 4 || length < sizeof(*ip))
		return parsed_malformed;
	if (cursor->at + length > cursor->end)
		return parsed_truncated;
	cursor->at += length;
	*header = ip;
	return parsed_ok;
}

/* Reads past the fixed IPv6 header only: extension headers come next. */
static __always_inline enum parsed parse_ipv6(struct cursor *cursor, struct ipv6hdr **header)
{
	struct ipv6hdr *ip = cursor->at;

	if ((void *)(ip + 1) > cursor->end)
		return parsed_truncated;
	if (ip->version != 6)
		return parsed_malformed;
	cursor->at = ip + 1;
	*header = ip;
	return parsed_ok;
}

static __always_inline enum fragment ipv4_fragment(const struct iphdr *ip)
{
	__u16 field = bpf_ntohs(ip->frag_off);

	if (field & 0x1fff) /* offset */
		return fragment_later;
	return field & 0x2000 /* more fragments */ ? fragment_first : fragment_none;
}

/*
 * Walks over IPv6 extension headers. PROTOCOL is the next-header field of the
 * fixed header on entry and the transport protocol afterwards, with the cursor
 * on its header. The walk ends early, and well, at a later fragment, whose
 * payload starts in the middle of something, and at ESP, behind which nothing
 * can be read.
 */
static __always_inline enum parsed skip_ipv6_extensions(struct cursor *cursor, __u8 *protocol,
							enum fragment *fragment)
{
	*fragment = fragment_none;

#pragma unroll
	for (int depth = 0; depth <= NETKIT_MAX_IPV6_EXTENSIONS; depth++) {
		/* Each kind is at least eight bytes and starts with these two. */
		struct {
			__u8 next;
			__u8 length;
			__be16 fragment;
			__be32 rest;
		} *extension = cursor->at;
		__u32 length;

		switch (*protocol) {
		case IPPROTO_HOPOPTS:
		case IPPROTO_ROUTING:
		case IPPROTO_DSTOPTS:
		case IPPROTO_FRAGMENT:
		case IPPROTO_AH:
		case IPPROTO_MH:
		case 139: /* HIP */
		case 140: /* Shim6 */
			break;
		default:
			return parsed_ok;
		}
		if (depth == NETKIT_MAX_IPV6_EXTENSIONS)
			break;
		if ((void *)(extension + 1) > cursor->end)
			return parsed_truncated;

		if (*protocol == IPPROTO_FRAGMENT) {
			__u16 field = bpf_ntohs(extension->fragment);

			length = sizeof(*extension);
			if (field & 0xfff8)
				*fragment = fragment_later;
			else if (field & 1)
				*fragment = fragment_first;
		} else if (*protocol == IPPROTO_AH) {
			length = (extension->length + 2) * 4;
		} else {
			length = (extension->length + 1) * 8;
		}
		*protocol = extension->next;
		if (cursor->at + length > cursor->end)
			return parsed_truncated;
		cursor->at += length;
		if (*fragment == fragment_later)
			return parsed_ok;
	}
	return parsed_too_deep;
}

#endif
