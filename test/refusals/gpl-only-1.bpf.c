// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// Prints to the trace pipe under a licence of its own.
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

SEC("tracepoint/sched/sched_process_exec")
int executed(void *ctx)
{
	bpf_printk("process %d", bpf_get_current_pid_tgid() >> 32); /* HERE */
	return 0;
}

char LICENSE[] SEC("license") = "Proprietary"; /* HERE */
