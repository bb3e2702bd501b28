// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// Sends an event to user space of which it filled in only some members.
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

struct event {
	__u64 time;
	__u32 interface;
	__u32 queue;
	__u8 source[6];
	__u8 destination[6];
};

struct {
	__uint(type, BPF_MAP_TYPE_PERF_EVENT_ARRAY);
	__uint(key_size, sizeof(__u32));
	__uint(value_size, sizeof(__u32));
} events SEC(".maps");

static __always_inline void report(struct xdp_md *ctx, struct event *event)
{
	event->time = bpf_ktime_get_ns();
	event->interface = ctx->ingress_ifindex;
	bpf_perf_event_output(ctx, &events, BPF_F_CURRENT_CPU, event, sizeof(*event)); /* HERE */
}

SEC("xdp")
int tell(struct xdp_md *ctx)
{
	struct event event;

	report(ctx, &event);
	return XDP_PASS;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
