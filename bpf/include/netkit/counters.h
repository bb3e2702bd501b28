/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Counters per verdict and reason: one layout for every function.
 *
 * A function lists its outcomes in an enum of its own, spelled
 * `<verdict>_<reason>` (`pass_no_match`, `drop_truncated`), and ends every path
 * through the program by counting exactly one of them. The sum of all counters
 * is then the number of packets seen.
 *
 * The table is a per-CPU hash and not a per-CPU array, because the kernel
 * accepts BTF for an array only when its key is a plain integer: `map dump`
 * would print 0, 1, 2 instead of the names. The hash costs some 20 ns more a
 * packet; it shows only outcomes that happened, and is reset by deleting
 * entries. It has room for every outcome, so it is never full.
 */
#ifndef NETKIT_COUNTERS_H
#define NETKIT_COUNTERS_H

#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

struct counter {
	__u64 packets;
	__u64 bytes; /* frame bytes, from the Ethernet header to the end, without checksum */
};

/*
 * Defines the map NAME, keyed by OUTCOME (an enum) with COUNT enumerators.
 */
#define NETKIT_COUNTERS(NAME, OUTCOME, COUNT)                                                      \
	struct {                                                                                   \
		__uint(type, BPF_MAP_TYPE_PERCPU_HASH);                                            \
		__uint(max_entries, COUNT);                                                        \
		__type(key, OUTCOME);                                                              \
		__type(value, struct counter);                                                     \
	} NAME SEC(".maps")

/*
 * Adds one packet of BYTES to the counter of OUTCOME. No atomics: an entry has a
 * copy for each CPU, and a program is not interrupted by itself there.
 */
static __always_inline void count_packet(void *counters, __u32 outcome, __u64 bytes)
{
	struct counter *counter = bpf_map_lookup_elem(counters, &outcome);

	if (!counter) {
		const struct counter zero = {};

		/* Another CPU may add the entry first, and has then done what is needed. */
		bpf_map_update_elem(counters, &outcome, &zero, BPF_NOEXIST);
		counter = bpf_map_lookup_elem(counters, &outcome);
		if (!counter)
			return;
	}
	counter->packets += 1;
	counter->bytes += bytes;
}

#endif
