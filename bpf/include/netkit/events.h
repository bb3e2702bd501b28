/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Records for user space, none of them lost without being counted.
 *
 *	struct drop {
 *		__u64 time;
 *		__u32 saddr;
 *	};
 *
 *	NETKIT_EVENTS(drops, struct drop, 256 * 1024);
 *
 *	struct drop *drop = netkit_reserve(drops, struct drop);
 *
 *	if (drop) {
 *		drop->time = bpf_ktime_get_ns();
 *		drop->saddr = ip->saddr;
 *		netkit_submit(drop);
 *	}
 *
 * `netkit map watch fw/drops` then prints each record by its type, and how many
 * were lost.
 *
 * The kernel refuses a record when a ring buffer is full and keeps no count of
 * it. So there is a second map beside each ring, NAME_lost, with one number for
 * each CPU: the wrappers below add to it whenever the kernel refuses. Produced
 * is then always received plus lost. Whoever calls bpf_ringbuf_reserve() itself
 * counts with netkit_count_lost(). A perf event array needs none of this: the
 * kernel counts for it.
 *
 * A record that was reserved must be submitted or discarded on every path: the
 * verifier sees to it. Until then it holds up all records behind it.
 */
#ifndef NETKIT_EVENTS_H
#define NETKIT_EVENTS_H

#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

/*
 * Defines a ring buffer NAME of BYTES (a power of two, at least a page) for
 * records of TYPE, its counter NAME_lost, and NAME_record: a pointer that nobody
 * reads, through which TYPE gets into the object's BTF and readers find it.
 */
#define NETKIT_EVENTS(NAME, TYPE, BYTES)                                                           \
	struct {                                                                                   \
		__uint(type, BPF_MAP_TYPE_RINGBUF);                                                \
		__uint(max_entries, BYTES);                                                        \
	} NAME SEC(".maps");                                                                       \
	struct {                                                                                   \
		__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);                                           \
		__uint(max_entries, 1);                                                            \
		__type(key, __u32);                                                                \
		__type(value, __u64);                                                              \
	} NAME##_lost SEC(".maps");                                                                \
	TYPE *const NAME##_record __attribute__((unused)) = 0

/*
 * Defines a perf event array NAME for records of TYPE, with NAME_record as above.
 * It is for kernels before 5.8, or where each CPU is to have a buffer of its own.
 */
#define NETKIT_PERF_EVENTS(NAME, TYPE)                                                             \
	struct {                                                                                   \
		__uint(type, BPF_MAP_TYPE_PERF_EVENT_ARRAY);                                       \
		__uint(key_size, sizeof(__u32));                                                   \
		__uint(value_size, sizeof(__u32));                                                 \
	} NAME SEC(".maps");                                                                       \
	TYPE *const NAME##_record __attribute__((unused)) = 0

/* Counts one lost record. Atomic: a program may be interrupted by another one on its CPU. */
static __always_inline void netkit_count_lost(void *lost)
{
	__u32 first = 0;
	__u64 *count = bpf_map_lookup_elem(lost, &first);

	if (count)
		__sync_fetch_and_add(count, 1);
}

static __always_inline void *netkit_reserve_bytes(void *ring, void *lost, __u64 size)
{
	void *record = bpf_ringbuf_reserve(ring, size, 0);

	if (!record)
		netkit_count_lost(lost);
	return record;
}

static __always_inline long netkit_output_bytes(void *ring, void *lost, void *record, __u64 size)
{
	long error = bpf_ringbuf_output(ring, record, size, 0);

	if (error)
		netkit_count_lost(lost);
	return error;
}

/*
 * Room for a record of TYPE in the ring NAME, or NULL when there is none, which
 * is counted. What is in the record before is undefined: write every member.
 */
#define netkit_reserve(NAME, TYPE)                                                                 \
	((TYPE *)netkit_reserve_bytes(&(NAME), &NAME##_lost, sizeof(TYPE)))

/* Lets the reader have a reserved record, and wakes it if it waits. */
static __always_inline void netkit_submit(void *record)
{
	bpf_ringbuf_submit(record, 0);
}

/* Takes a reserved record back: the reader never sees it, and it is not lost. */
static __always_inline void netkit_discard(void *record)
{
	bpf_ringbuf_discard(record, 0);
}

/* Copies a record into the ring NAME. Not 0 when there was no room, which is counted. */
#define netkit_output(NAME, RECORD, SIZE) netkit_output_bytes(&(NAME), &NAME##_lost, RECORD, SIZE)

#endif
