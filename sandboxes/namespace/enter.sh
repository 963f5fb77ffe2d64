# Builds a box's root inside fresh namespaces, then becomes the box's first process: a bash with no privilege left.
# Given: base, disk, inodes, processes, network, and skeleton, a descriptor of a tar of what lies on the base.
set -e
mount -t tmpfs -o "size=$disk,nr_inodes=$inodes,mode=755" datafactory "$base"
tar -x -p --no-same-owner -C "$base" -f "/proc/self/fd/$skeleton"
exec {skeleton}<&-
# From where the box was entered: some of the table's paths begin there.
mount -a -T "$base/fstab"
echo 0 >/proc/sys/user/max_user_namespaces
{ echo box >/proc/sys/kernel/hostname; } 2>/dev/null || hostname box || :
[[ $network ]] || ip link set lo up || ifconfig lo up
cd "$base/root"
pivot_root . .
umount -l .
cd /; unset OLDPWD
ulimit -c 0
[[ ! $processes ]] || ulimit -u "$processes"
exec setpriv --bounding-set=-all --inh-caps=-all --no-new-privs bash --noprofile --norc
