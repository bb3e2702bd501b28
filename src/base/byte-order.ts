/**
 * The byte order of the machine that netkit runs on: x86-64 and arm64 are little-endian, and so are eBPF objects for
 * them. What passes between this process and the kernel, structs of bpf(2), netlink and keys and values of maps alike,
 * is read and written in it.
 */
export const hostIsLittleEndian = true;
