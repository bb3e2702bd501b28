// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * What `netkit bench probes` attaches: for each way to observe the kernel or a
 * program one that does nothing, and one that counts how often it ran, by CPU.
 * Where they are attached, netkit says; fentry, fexit and tp_btf are loaded for
 * another place than their sections name.
 */
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, __u64);
} runs SEC(".maps");

static __always_inline void count(void)
{
	__u32 key = 0;
	__u64 *counter = bpf_map_lookup_elem(&runs, &key);

	if (counter)
		(*counter)++;
}

#define PROBE(section, name)                                                                       \
	SEC(section)                                                                               \
	int name##_empty(void *ctx __attribute__((unused)))                                        \
	{                                                                                          \
		return 0;                                                                          \
	}                                                                                          \
                                                                                                   \
	SEC(section)                                                                               \
	int name##_counting(void *ctx __attribute__((unused)))                                     \
	{                                                                                          \
		count();                                                                           \
		return 0;                                                                          \
	}

PROBE("raw_tracepoint", raw_tracepoint)
PROBE("tp_btf/sys_enter", tp_btf)
PROBE("tracepoint", tracepoint)
PROBE("kprobe", kprobe)
PROBE("kprobe.multi", kprobe_multi)
PROBE("kprobe.session", kprobe_session)
PROBE("uprobe", uprobe)
PROBE("uprobe.multi", uprobe_multi)
PROBE("fentry/bpf_fentry_test1", fentry)
PROBE("fexit/bpf_fentry_test1", fexit)
PROBE("perf_event", perf_event)

char _license[] SEC("license") = "GPL";
