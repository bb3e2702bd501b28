#!/bin/busybox sh
# First process of a virtual machine: the host's root as the root, with every change kept in memory.
export PATH=/bin
/bin/busybox --install -s /bin
mount -t proc proc /proc
mount -t sysfs sysfs /sys
mount -t devtmpfs devtmpfs /dev
# CHECKOUT: its path on the host. COMMAND: what to run in there. MINUTES: how long the machine may live.
# shellcheck source=/dev/null
. /settings

# What goes wrong before the tests run is told here; the machine stops by itself in any case.
give_up() {
  echo "netkit-vm: $*"
  poweroff -f
}

# Else each namespace gets an interface of each kind of tunnel.
echo 2 >/proc/sys/net/core/fb_tunnels_only_for_init_net
while read -r name parameters; do
  # shellcheck disable=SC2086 # several parameters are several words
  insmod "/modules/$name.ko" $parameters || echo "netkit-vm: module $name cannot be inserted"
done </modules/order

mount -t 9p -o trans=virtio,version=9p2000.L,ro,msize=524288,cache=loose hostroot /host ||
  give_up "the host's root cannot be mounted"
mount -t tmpfs -o size=1400m tmpfs /writable
mkdir /writable/upper /writable/work
mount -t overlay -o lowerdir=/host,upperdir=/writable/upper,workdir=/writable/work overlay /system ||
  give_up "the overlay cannot be mounted"

# A checkout below /tmp is to be seen after /tmp was hidden.
mkdir /checkout
mount --bind "/system$CHECKOUT" /checkout
for folder in tmp run var/lib/netkit var/tmp; do
  mkdir -p "/system/$folder"
  mount -t tmpfs -o mode=1777 tmpfs "/system/$folder"
done
chmod 755 /system/run /system/var/lib/netkit
if ! [ -e "/system$CHECKOUT/package.json" ]; then
  mkdir -p "/system$CHECKOUT"
  mount --bind /checkout "/system$CHECKOUT"
fi
umount /checkout

mkdir -p /system/run/netkit-vm
mount -t 9p -o trans=virtio,version=9p2000.L,msize=524288,cache=none results /system/run/netkit-vm ||
  give_up "the folder for the results cannot be mounted"
cp /bin/busybox /system/run/busybox

mount --move /dev /system/dev
mount --move /sys /system/sys
mount --move /proc /system/proc
cd /system || give_up "there is no root"
mkdir -p dev/pts dev/shm
mount -t devpts devpts dev/pts
mount -t tmpfs -o mode=1777 tmpfs dev/shm
mount -t tracefs tracefs sys/kernel/tracing
mount -t debugfs debugfs sys/kernel/debug
mount -t securityfs securityfs sys/kernel/security
mount -t cgroup2 cgroup2 sys/fs/cgroup
mount -t bpf -o mode=700 bpf sys/fs/bpf
ip link set lo up
hostname netkit-vm

export NETKIT_TEST_EMULATED=1 NO_COLOR=1
export HOME=/root PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin LANG=C.UTF-8
# busybox alone can power the machine off without an init system.
# Through a pipe, so that nothing takes the console for a terminal.
# Should whoever watches this machine be gone, it ends all the same.
# shellcheck disable=SC2016 # expanded by the shell that it is for
exec switch_root /system /run/busybox sh -c '
  (/run/busybox sleep $(($3 * 60 + 60)); /run/busybox poweroff -f) &
  cd "$1" || /run/busybox poweroff -f
  /bin/sh -c "$2" 2>&1 | /run/busybox cat
  /run/busybox sync
  /run/busybox poweroff -f' sh "$CHECKOUT" "$COMMAND" "$MINUTES"
