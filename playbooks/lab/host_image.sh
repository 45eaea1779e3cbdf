#!/bin/sh
# The root file system of a lab host, as a tar file: a bare Debian with systemd, SSH and ufw, as a fresh machine would be.
# The image's tag is the digest of this file: change anything here and the next `make lab` builds the image anew.
set -eu
tar=$1

packages=systemd,systemd-sysv,dbus,openssh-server,sudo,python3-minimal,python3-apt,ca-certificates
packages=$packages,iproute2,iptables,ufw,procps,kmod

# shellcheck disable=SC2016 # "$1" is the new root, which mmdebstrap hands to its hooks.
exec mmdebstrap --quiet --variant=minbase --include="$packages" \
    --customize-hook='rm -f "$1"/etc/ssh/ssh_host_* "$1"/etc/hostname' \
    --customize-hook='printf "%s\n" "HostKey /etc/ssh/lab/host_key" "AuthorizedKeysFile /etc/ssh/lab/authorized_keys" "StrictModes no" > "$1/etc/ssh/sshd_config.d/lab.conf"' \
    --customize-hook=': > "$1/etc/machine-id"' \
    bookworm "$tar"
