// SPDX-License-Identifier: GPL-2.0
/* The maps of the benchmark's rows; no program works on them. */
#include <linux/bpf.h>
#include <linux/types.h>
#include <bpf/bpf_helpers.h>

struct flow {
	__be32 saddr;
	__be32 daddr;
	__be16 sport;
	__be16 dport;
	__u8 proto;
};

struct counters {
	__u64 packets;
	__u64 bytes;
};

struct numbers {
	__uint(type, BPF_MAP_TYPE_HASH);
	__type(key, __u32);
	__type(value, __u64);
	__uint(max_entries, 1000000);
} numbers SEC(".maps"), numbers_in SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__type(key, __u32);
	__type(value, __u64);
	__uint(max_entries, 10000000);
} many SEC(".maps");

struct flows {
	__uint(type, BPF_MAP_TYPE_HASH);
	__type(key, struct flow);
	__type(value, struct counters);
	__uint(max_entries, 1000000);
} flows SEC(".maps"), flows_in SEC(".maps");

char LICENSE[] SEC("license") = "GPL";
