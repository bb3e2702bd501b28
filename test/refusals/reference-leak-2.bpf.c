// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// Gives up on an event that it has no use for, but keeps the room reserved for it in the ring
// buffer.
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

struct event {
	__u64 time;
	__u64 task;
	char command[16];
};

struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 65536);
} events SEC(".maps");

SEC("tracepoint/sched/sched_process_exec")
int executed(void *ctx)
{
	struct event *event = bpf_ringbuf_reserve(&events, sizeof(*event), 0); /* HERE */

	if (!event)
		return 0;
	event->time = bpf_ktime_get_ns();
	event->task = bpf_get_current_pid_tgid();
	if (bpf_get_current_comm(event->command, sizeof(event->command))) /* HERE */
		return 0; /* HERE */
	bpf_ringbuf_submit(event, 0);
	return 0;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
