// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Looks up and updates entries of maps, a number of them in each run: what
 * `netkit bench maps` measures inside the kernel. Keys are 0 to `entries` - 1
 * in an order that no cache foresees; of a prefix map the length stands before.
 */
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

/* As many in one run; `roundsInARun` of src/bench/scenarios/maps/kernel.ts. */
#define ROUNDS 64

volatile const __u32 entries = 1;
__u64 state = 1;

struct key {
	__u32 length;
	__u32 number;
};

static __always_inline __u32 next(__u64 *now)
{
	*now = *now * 6364136223846793005ULL + 1442695040888963407ULL;
	return (*now >> 33) % entries;
}

#define ACCESS(kind, map_type, map_key, make, map_flags_)                                          \
	struct {                                                                                   \
		__uint(type, map_type);                                                            \
		__uint(max_entries, 1);                                                            \
		__uint(map_flags, map_flags_);                                                     \
		__type(key, map_key);                                                              \
		__type(value, __u64);                                                              \
	} map_##kind SEC(".maps");                                                                 \
                                                                                                   \
	SEC("tc")                                                                                  \
	int lookup_##kind(struct __sk_buff *skb __attribute__((unused)))                           \
	{                                                                                          \
		__u64 now = state;                                                                 \
		int found = 0;                                                                     \
                                                                                                   \
		for (int round = 0; round < ROUNDS; round++) {                                     \
			map_key key = make(next(&now));                                            \
                                                                                                   \
			if (bpf_map_lookup_elem(&map_##kind, &key))                                \
				found++;                                                           \
		}                                                                                  \
		state = now;                                                                       \
		return found;                                                                      \
	}                                                                                          \
                                                                                                   \
	SEC("tc")                                                                                  \
	int update_##kind(struct __sk_buff *skb __attribute__((unused)))                           \
	{                                                                                          \
		__u64 now = state;                                                                 \
		int done = 0;                                                                      \
                                                                                                   \
		for (int round = 0; round < ROUNDS; round++) {                                     \
			map_key key = make(next(&now));                                            \
			__u64 value = now;                                                         \
                                                                                                   \
			if (!bpf_map_update_elem(&map_##kind, &key, &value, 0))                    \
				done++;                                                            \
		}                                                                                  \
		state = now;                                                                       \
		return done;                                                                       \
	}

#define PLAIN(number) (number)
#define PREFIX(number_)                                                                            \
	{                                                                                          \
		.length = 32, .number = number_                                                    \
	}

ACCESS(hash, BPF_MAP_TYPE_HASH, __u32, PLAIN, 0)
ACCESS(lru_hash, BPF_MAP_TYPE_LRU_HASH, __u32, PLAIN, 0)
ACCESS(percpu_hash, BPF_MAP_TYPE_PERCPU_HASH, __u32, PLAIN, 0)
ACCESS(array, BPF_MAP_TYPE_ARRAY, __u32, PLAIN, 0)
ACCESS(percpu_array, BPF_MAP_TYPE_PERCPU_ARRAY, __u32, PLAIN, 0)
ACCESS(lpm_trie, BPF_MAP_TYPE_LPM_TRIE, struct key, PREFIX, BPF_F_NO_PREALLOC)

SEC("tc")
int lookup_nothing(struct __sk_buff *skb __attribute__((unused)))
{
	__u64 now = state;
	int found = 0;

	for (int round = 0; round < ROUNDS; round++) {
		/* Opaque to the compiler, so that each round is there. */
		__u32 key = next(&now);

		asm volatile("" : "+r"(key));
		found++;
	}
	state = now;
	return found;
}

char _license[] SEC("license") = "GPL";
