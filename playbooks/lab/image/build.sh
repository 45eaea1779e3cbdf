#!/bin/sh
# build.sh RELEASE TAR: the root file system of a lab host, a bare Debian with systemd, SSH and ufw, as a fresh machine has it.
# The image's tag is the digest of this folder: change anything here and the next `make lab` builds the image anew.
set -eu
release=$1
tar=$2
cd "$(dirname "$0")"

packages=systemd,systemd-sysv,dbus,openssh-server,sudo,python3-minimal,python3-apt,ca-certificates
packages=$packages,iproute2,iptables,ufw,procps,kmod

# As Debian's own container images do, skip the manuals and the waiting for the disk after each package. Java's package
# still wants a folder for its manual.
# shellcheck disable=SC2016 # "$1" is the new root, which mmdebstrap hands to its hooks.
exec mmdebstrap --quiet --variant=minbase --include="$packages" \
    --dpkgopt=force-unsafe-io --dpkgopt='path-exclude=/usr/share/man/*' --dpkgopt='path-exclude=/usr/share/doc/*' \
    --customize-hook='rm -f "$1"/etc/ssh/ssh_host_* "$1"/etc/hostname; : > "$1/etc/machine-id"; mkdir -p "$1/usr/share/man/man1"' \
    --customize-hook='tar -C rootfs --owner=0 --group=0 --mode=u=rwX,go=rX -c etc | tar -C "$1" -x --no-overwrite-dir' \
    --customize-hook='systemctl --quiet --root="$1" enable net-sysctl.service shared-mounts.service' \
    "$release" "$tar"
