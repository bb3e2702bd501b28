// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// The length of a record comes from user space, and is not compared with the size of the buffer.
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

struct sample {
	__u32 length;
	char bytes[512];
};

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct sample);
} samples SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 65536);
} records SEC(".maps");

static __noinline int publish(struct sample *sample)
{
	return bpf_ringbuf_output(&records, sample->bytes, sample->length, 0); /* HERE */
}

SEC("xdp")
int sample(struct xdp_md *ctx)
{
	__u32 key = 0;
	struct sample *found = bpf_map_lookup_elem(&samples, &key);

	if (found)
		publish(found);
	return XDP_PASS;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
