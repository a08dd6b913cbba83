#!/bin/busybox sh
# The first program of the rig's guest: mounts, modules, the command, its exit code on the console (which the host reads), the end.
# ttyS0 carries the command's output, ttyS1 (the console) the kernel's log and our marks.
export PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/root LC_ALL=C TERM=linux NO_COLOR=1
mount -t devtmpfs dev /dev; mount -t proc proc /proc; mount -t sysfs sys /sys
mkdir -p /dev/pts /dev/shm
mount -t devpts pts /dev/pts; mount -t tmpfs tmp /tmp; mount -t tmpfs run /run; mount -t tmpfs shm /dev/shm
mount -t bpf bpf /sys/fs/bpf; mount -t tracefs trace /sys/kernel/tracing; mount -t cgroup2 cgroup /sys/fs/cgroup
# printk reaches the console before anything else happens; what is written to the console itself may still wait at the reset
mark() { echo "<1>$*" > /dev/kmsg; }
while read -r module; do
    case $module in
        bonding) arguments=max_bonds=0 ;;
        dummy) arguments=numdummies=0 ;;
        *) arguments= ;;
    esac
    insmod "/m/$module.ko" $arguments || mark "RIG cannot load $module"
done < /m/order
/usr/sbin/ip link set lo up
out=/dev/vda
if grep -q rig.saved /proc/cmdline; then
    # wait here to be saved; once restored, the command comes on the first disk, behind a block with its length and the time
    out=/dev/vdb
    mark RIG_WAITING
    while :; do
        dd if=/dev/vda iflag=direct bs=4096 count=1 of=/tmp/head 2> /dev/null
        read -r magic blocks epoch < /tmp/head
        [ "$magic" = RIGPAYLOAD ] && break
        usleep 20000
    done
    date -s "@$epoch" > /dev/null
    dd if=/dev/vda iflag=direct bs=4096 skip=1 count="$blocks" 2> /dev/null | (cd / && cpio -idmu 2> /dev/null)
fi
. /rig.env
read -r up _ < /proc/uptime; mark "RIG_READY=$up"
if [ "$RIG_SHELL" = 1 ]; then
    stty -F /dev/ttyS0 sane rows "$RIG_ROWS" cols "$RIG_COLUMNS"
    setsid -c /bin/bash /cmd < /dev/ttyS0 > /dev/ttyS0 2>&1; code=$?
else
    stty -F /dev/ttyS0 raw -echo
    setsid /bin/bash /cmd < /dev/null > /dev/ttyS0 2>&1; code=$?
fi
if [ -n "$RIG_OUT" ] && [ -d "$RIG_OUT" ]; then
    tar -cf "$out" -C "$RIG_OUT" . || mark 'RIG cannot write the disk out'
fi
sync
# a setting takes effect when all output has gone out, even where a left-over process keeps the line open
stty -F /dev/ttyS0 raw -echo
read -r up _ < /proc/uptime; mark "RIG_DONE=$up"; mark "RIG_CODE=$code"
echo b > /proc/sysrq-trigger
