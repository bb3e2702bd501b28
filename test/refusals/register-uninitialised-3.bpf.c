// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// A helper declared by hand, with one parameter less than the kernel takes: the last register has
// no value.
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

#define AF_INET 2

static long (*fib_lookup)(void *ctx, struct bpf_fib_lookup *params,
			  int length) = (void *)BPF_FUNC_fib_lookup;

SEC("xdp")
int forward(struct xdp_md *ctx)
{
	struct bpf_fib_lookup route = { .family = AF_INET, .ifindex = ctx->ingress_ifindex };

	if (bpf_xdp_adjust_head(ctx, 0))
		return XDP_PASS;
	if (fib_lookup(ctx, &route, sizeof(route)) != BPF_FIB_LKUP_RET_SUCCESS) /* HERE */
		return XDP_PASS;
	return bpf_redirect(route.ifindex, 0);
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
