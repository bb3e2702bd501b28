// SPDX-License-Identifier: GPL-2.0
/* Fills the ring of the benchmark's rows: one record a run. */
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

#include "netkit/events.h"

struct event {
	__u64 number;
	__u64 twice;
	__u32 cpu;
};

NETKIT_EVENTS(events, struct event, 64 * 1024 * 1024);

__u64 made = 0;

SEC("tc")
int produce(struct __sk_buff *skb)
{
	struct event *event = netkit_reserve(events, struct event);

	made++;
	if (event) {
		event->number = made;
		event->twice = made * 2;
		event->cpu = bpf_get_smp_processor_id();
		netkit_submit(event);
	}
	return 0;
}

char LICENSE[] SEC("license") = "GPL";
