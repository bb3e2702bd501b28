// The Debian packages that a checkout needs, in one place, each with its reason. An installed netkit needs libbpf1 and,
// to compile, clang, llvm and libbpf-dev.

/** For `npm run setup`, `npm run demo` and `npm test`. */
export const packages = {
  clang: 'compiles bpf/*.bpf.c',
  'clang-19': 'a newer compiler, whose programs look different to the verifier: the tests of refusals',
  llvm: 'llvm-strip and llvm-objdump for compiled objects, llvm-mc for native code',
  'libbpf-dev': 'the library that loads programs, and its headers',
  'linux-libc-dev': 'kernel headers that the C programs include',
  iproute2: 'network namespaces and veth pairs of the demo and the tests',
  'iputils-ping': 'the real packets of the demo and the tests',
  iptables: 'rules that `netkit bench` compares programs with',
  nftables: 'the same',
  bpftool: 'a second opinion on what the kernel holds',
  'xdp-tools': 'objects made by others, which the tests inspect and load',
  systemd: 'checks the units that netkit writes; it does not have to run',
  procps: 'looks for processes left behind',
  mandoc: 'checks the man pages',
  'bash-completion': 'tries the completion for bash',
  zsh: 'tries the completion for zsh',
  fish: 'tries the completion for fish',
};

/** Beside these for `.ci/run`. */
export const ciPackages = {
  chromium: 'opens the reports of `netkit bench`, as people do',
  'clang-format': 'checks the layout of C files',
  debootstrap: 'makes the bare Debian root of scripts/check-bare-debian.mjs',
  git: 'clones the checkout into that root',
  iperf3: 'a second opinion in `netkit bench sockmap`',
  ipset: 'sets that `netkit bench rules` compares the firewall with',
  shellcheck: 'checks shell scripts and the completion for bash',
};

/** Beside the first for `npm run test:vm`. */
export const vmPackages = {
  'qemu-system-x86': 'boots other kernels, without KVM',
  'debian-archive-keyring': "checks the signatures of the suites that have those kernels' packages",
  'xz-utils': 'unpacks kernel modules',
};
