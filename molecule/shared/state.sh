#!/bin/sh
# A host's state as text, a line for each thing that a run could change: two of these are compared, line by line.
# Left out is what changes by itself: logs, caches, and the brokers' data (a file system of its own, hence -xdev).
exec >"${1:-/dev/stdout}"

find / -xdev \( -path /proc -o -path /sys -o -path /dev -o -path /run -o -path /tmp -o -path /var/tmp -o -path /var/log \
    -o -path /var/cache -o -path /var/lib/systemd -o -path /root/.ansible \) -prune -o -printf 'file %p %M %u:%g %C@\n' | sort
grep -v ' /proc\| /sys\| /run/user' /proc/mounts | sed 's/^/mount /'
iptables-save | grep '^-A' | sed 's/^/ipv4 /'
ip6tables-save | grep '^-A' | sed 's/^/ipv6 /'
systemctl show --property=Id,InvocationID,ActiveState kafka zookeeper ufw | paste -sd' ' | sed 's/^/unit /'
