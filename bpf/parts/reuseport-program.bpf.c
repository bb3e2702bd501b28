// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Which program the sockets of a port have that chooses among them. No call
 * tells; the kernel's memory does. An iterator over the files of all processes
 * finds the socket by its number, and prints one struct found.
 *
 * Of the kernel's structs it knows the members that it reads, wherever they
 * are on the kernel that runs.
 */
#include <linux/bpf.h>
#include <linux/stat.h>
#include <bpf/bpf_core_read.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>

#pragma clang attribute push(__attribute__((preserve_access_index)), apply_to = record)

struct seq_file;

struct bpf_iter_meta {
	struct seq_file *seq;
};

struct bpf_prog_aux {
	__u32 id;
};

struct bpf_prog {
	struct bpf_prog_aux *aux;
};

struct sock_reuseport {
	struct bpf_prog *prog;
};

struct sock {
	struct sock_reuseport *sk_reuseport_cb;
};

struct socket {
	struct sock *sk;
};

struct inode {
	unsigned short i_mode;
	unsigned long i_ino;
};

struct file {
	struct inode *f_inode;
	void *private_data;
};

struct bpf_iter__task_file {
	struct bpf_iter_meta *meta;
	struct file *file;
};

#pragma clang attribute pop

struct found {
	__u32 has_program;
	__u32 id; /* 0 for a classic filter */
};

volatile const __u64 wanted_inode = 0;

SEC("iter/task_file")
int find(struct bpf_iter__task_file *ctx)
{
	struct sock_reuseport *group;
	struct found found = {};
	struct bpf_prog *program;
	struct socket *socket;
	struct file *file = ctx->file;
	struct sock *sock;

	if (!file || file->f_inode->i_ino != wanted_inode ||
	    (file->f_inode->i_mode & S_IFMT) != S_IFSOCK)
		return 0;
	socket = file->private_data;
	sock = BPF_CORE_READ(socket, sk);
	if (!sock)
		return 0;
	group = BPF_CORE_READ(sock, sk_reuseport_cb);
	program = BPF_CORE_READ(group, prog);
	if (program) {
		found.has_program = 1;
		found.id = BPF_CORE_READ(program, aux, id);
	}
	bpf_seq_write(ctx->meta->seq, &found, sizeof(found));
	return 0;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
