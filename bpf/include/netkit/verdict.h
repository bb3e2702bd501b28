/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * What a function decides about a packet, in words that the command line can
 * use: the enumerators are part of the object's BTF, so that
 * `netkit map update fw/blocklist_v4 10.0.0.0/8 drop` and
 * `netkit load … --set default_action=drop` take them as they are spelled here.
 * That is why they are plain lower-case words. They share C's one namespace of
 * ordinary names: do not call a function or a variable `pass` or `drop`.
 */
#ifndef NETKIT_VERDICT_H
#define NETKIT_VERDICT_H

#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

enum action {
	pass = 0, /* zero, so that a rule with no action given changes nothing */
	drop = 1,
};

/*
 * Whatever is not `pass` drops: a value that was written as raw bytes and means
 * nothing here must not open the door.
 */
static __always_inline int xdp_verdict(enum action action)
{
	return action == pass ? XDP_PASS : XDP_DROP;
}

#endif
