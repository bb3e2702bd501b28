// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Sends UDP packets, or those of a capture, to one interface or to several in
 * turn, by test runs with live frames, and counts what becomes of each until it
 * is on the other side of the wire:
 *
 *	generated = sent + queue_drops + redirect_errors
 *
 * A queue drop is a packet that the receiver had no room for, which is how one
 * knows that the receiver is what sets the pace.
 */
#include <linux/bpf.h>
#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>

/* The first source port, and how many are taken in turn. */
#define FIRST_PORT 1024
/* The longest packet of a capture: what an Ethernet takes. */
#define LONGEST 1514
/* An Ethernet header. */
#define SHORTEST 14

/*
 * Written before each test run, which sets all others to zero: the sender's
 * network namespace (elsewhere an interface may have an index of these, too).
 */
__u32 netns = 0;
/* Where the thread is that makes the packets: they seem to come from its loopback interface. */
__u32 from_netns = 0;
__u32 flows = 0;
/* Where the UDP header begins. */
__u32 udp_offset = 0;
/* How many source addresses are taken in turn, and the number of the first. */
__u32 sources = 0;
__u32 first_source = 0;
/* Where the last four bytes of the source address are, and IPv4's identification. */
__u32 source_at = 0;
__u32 id_at = 0;

/* The next ones. */
__u32 flow = 0;
__u32 source = 0;
/* How many packets of a capture there are. */
__u32 packets = 0;
/* How long frames are when they come: as its longest packet. */
__u32 frame_size = 0;

/*
 * How many wires take turns; whose turn it is, which before the first is the
 * last; for how many packets more, and since when.
 */
__u32 wires = 0;
__u32 turn = 0;
__u32 left = 0;
__u64 began_ns = 0;
/* How long nothing was sent between turns, in all. */
__u64 paused_ns = 0;

/* Written while packets are made: those that are left are not sent. In a section of its own, since
 * a write is one of all its variables. */
volatile __u32 stopped SEC(".data") = 0;
/* The time is taken once. */
__u32 has_stopped = 0;

struct ns_common {
	unsigned int inum;
} __attribute__((preserve_access_index));

struct net {
	struct ns_common ns;
} __attribute__((preserve_access_index));

typedef struct {
	struct net *net;
} __attribute__((preserve_access_index)) possible_net_t;

struct net_device {
	int ifindex;
	possible_net_t nd_net;
} __attribute__((preserve_access_index));

/* One of those that packets go to, all of them within one test run. */
struct wire {
	__u32 ifindex;
	/* Packets of a turn: whole batches, but for the last turn. */
	__u32 each;
	/* Packets of all turns that are still to come. */
	__u32 rest;
	/* How long nothing is sent after a turn. */
	__u32 pause_ns;
	/* Which of a capture comes next. */
	__u32 packet;
	__u32 padding;
	__u64 generated;
	__u64 sent;
	__u64 queue_drops;
	__u64 redirect_errors;
	/* From the first packet of a turn to its last, of all turns. */
	__u64 ns;
};

/* Also in sender.ts. */
#define MOST_WIRES 64

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, MOST_WIRES);
	__type(key, __u32);
	__type(value, struct wire);
} aims SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_DEVMAP);
	__uint(max_entries, MOST_WIRES);
	__type(key, __u32);
	__type(value, __u32);
} target SEC(".maps");

static __always_inline __u16 folded(__u32 sum)
{
	return (sum & 0xffff) + (sum >> 16);
}

/*
 * Writes the next source address, spread over 64.0.0.0/3 as in sources.ts, and
 * gives what it adds to a checksum. That of the IPv4 header is left as it was
 * by an identification that takes it back.
 */
static __always_inline int from_next_source(void *data, void *data_end, __u16 *added)
{
	__u32 number = first_source + source;
	__u32 address = bpf_htonl(0x40000000 | ((number * 0x9e3779b1) & 0x1fffffff));
	__u16 *last = data + (source_at & 63);
	__u16 *id = data + (id_at & 63);

	if ((void *)(last + 2) > data_end || (void *)(id + 1) > data_end)
		return -1;
	__builtin_memcpy(last, &address, sizeof(address));
	*added = folded((address & 0xffff) + (address >> 16));
	if (id_at)
		*id = ~*added;
	if (++source >= sources)
		source = 0;
	return 0;
}

struct captured {
	__u32 size;
	__u8 bytes[LONGEST];
	__u16 padding;
};

/* Its size is set to that of the capture. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct captured);
} capture SEC(".maps");

/* A look at the clock takes some 20 ns, so this is over in any case within a tenth of a second. */
#define MOST_LOOKS 5000000

static long look_again(__u32 number __attribute__((unused)), __u64 *until)
{
	return bpf_ktime_get_ns() >= *until;
}

/*
 * Whose turn it is. Where a turn is whole batches, all of it is on its way when
 * the pause after it begins; of a last one some may leave after the pause.
 */
static __always_inline struct wire *whose_turn(void)
{
	__u32 key = turn;
	struct wire *wire = bpf_map_lookup_elem(&aims, &key);

	if (left > 0 || !wire)
		return wire;
	if (began_ns) {
		__u64 until = bpf_ktime_get_ns() + wire->pause_ns;

		paused_ns += wire->pause_ns;
		bpf_loop(MOST_LOOKS, look_again, &until, 0);
	}
	/* Those that got all of theirs have no more turns. */
	for (__u32 others = 0; others < MOST_WIRES; others++) {
		key = key + 1 < wires ? key + 1 : 0;
		wire = bpf_map_lookup_elem(&aims, &key);
		if (!wire || wire->rest > 0)
			break;
	}
	if (!wire || wire->rest == 0)
		return 0;
	turn = key;
	left = wire->each < wire->rest ? wire->each : wire->rest;
	wire->rest -= left;
	began_ns = bpf_ktime_get_ns();
	return wire;
}

static __always_inline int hand_on(struct wire *wire)
{
	wire->generated++;
	if (--left == 0)
		wire->ns += bpf_ktime_get_ns() - began_ns;
	return (int)bpf_redirect_map(&target, turn, 0);
}

/* @added: to the checksum, by what was written before */
static __always_inline int send_packet(struct wire *wire, __u16 *udp, __u16 added)
{
	/* The first payload word takes back what is added to the checksum. */
	__u16 port = bpf_htons(FIRST_PORT + flow);
	udp[0] = port;
	udp[4] = ~folded(port + added);
	if (++flow >= flows)
		flow = 0;
	return hand_on(wire);
}

SEC("xdp") int generate(struct xdp_md *ctx)
{
	void *data = (void *)(long)ctx->data;
	void *data_end = (void *)(long)ctx->data_end;
	__u32 at = udp_offset & 63;
	__u16 *udp = data + at;
	__u16 added = 0;
	struct wire *wire = whose_turn();

	if (!wire || (void *)(udp + 5) > data_end)
		return XDP_ABORTED;
	if (sources && from_next_source(data, data_end, &added))
		return XDP_ABORTED;
	return send_packet(wire, udp, added);
}

/* The second payload word is for receivers to sign: frames come back as they left them. */
SEC("xdp") int generate_unsigned(struct xdp_md *ctx)
{
	void *data = (void *)(long)ctx->data;
	__u32 at = udp_offset & 63;
	__u16 *udp = data + at;
	struct wire *wire = whose_turn();

	if (!wire || (void *)(udp + 6) > (void *)(long)ctx->data_end)
		return XDP_ABORTED;
	if (stopped) {
		if (!has_stopped)
			wire->ns += bpf_ktime_get_ns() - began_ns;
		has_stopped = 1;
		return XDP_DROP;
	}
	udp[5] = 0;
	return send_packet(wire, udp, 0);
}

SEC("xdp") int replay(struct xdp_md *ctx)
{
	struct wire *wire = whose_turn();
	struct captured *next;
	__u32 key;
	__u32 size;

	if (!wire)
		return XDP_ABORTED;
	key = wire->packet;
	next = bpf_map_lookup_elem(&capture, &key);
	if (!next)
		return XDP_ABORTED;
	size = next->size;
	if (size < SHORTEST || size > LONGEST)
		return XDP_ABORTED;
	if (bpf_xdp_store_bytes(ctx, 0, next->bytes, size))
		return XDP_ABORTED;
	if (size != frame_size && bpf_xdp_adjust_tail(ctx, (int)size - (int)frame_size))
		return XDP_ABORTED;
	wire->packet = key + 1 < packets ? key + 1 : 0;
	return hand_on(wire);
}

static __always_inline int is_in(struct net_device *device, __u32 wanted)
{
	struct net *net = 0;
	unsigned int inum = 0;

	bpf_probe_read_kernel(&net, sizeof(net),
			      __builtin_preserve_access_index(&device->nd_net.net));
	bpf_probe_read_kernel(&inum, sizeof(inum), __builtin_preserve_access_index(&net->ns.inum));
	return inum == wanted;
}

/* Packets of a turn that ended within a batch leave in another's, maybe not the next one. */
static __always_inline struct wire *wire_of(int ifindex)
{
	__u32 key = turn;
	struct wire *wire = bpf_map_lookup_elem(&aims, &key);

	for (__u32 others = 0; others < MOST_WIRES; others++) {
		if (wire && wire->ifindex == (__u32)ifindex)
			return wire;
		key = key > 0 ? key - 1 : wires - 1;
		wire = bpf_map_lookup_elem(&aims, &key);
	}
	return 0;
}

/* from_dev, to_dev, sent, drops, err */
SEC("raw_tracepoint/xdp_devmap_xmit") int transmitted(struct bpf_raw_tracepoint_args *ctx)
{
	struct net_device *to = (struct net_device *)ctx->args[1];
	int index = 0;
	struct wire *wire;

	bpf_probe_read_kernel(&index, sizeof(index), __builtin_preserve_access_index(&to->ifindex));
	wire = wire_of(index);
	if (!wire || !is_in(to, netns))
		return 0;
	wire->sent += (__u64)(int)ctx->args[2];
	wire->queue_drops += (__u64)(int)ctx->args[3];
	return 0;
}

/* dev, xdp, tgt, err, map_type, map_id, map_index */
SEC("raw_tracepoint/xdp_redirect_err") int failed(struct bpf_raw_tracepoint_args *ctx)
{
	__u32 key = turn;
	struct wire *wire = bpf_map_lookup_elem(&aims, &key);

	/* Those of others there count, too. */
	if (wire && is_in((struct net_device *)ctx->args[0], from_netns))
		__sync_fetch_and_add(&wire->redirect_errors, 1);
	return 0;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
