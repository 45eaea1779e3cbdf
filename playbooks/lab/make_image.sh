#!/bin/sh
# make_image.sh IMAGE LOCK: builds the host image unless it is there. The lock keeps labs that start side by side from
# building the same image twice.
set -eu
image=$1
exec 9> "$2"
flock 9

podman image exists "$image" && exit
tar=$(mktemp --suffix=.tar)
trap 'rm -f "$tar"' EXIT
"$(dirname "$0")/image/build.sh" "$tar"
podman image prune --all --force --filter label=crucible.image=host
podman import --quiet --change 'CMD ["/lib/systemd/systemd"]' --change 'LABEL crucible.image=host' "$tar" "$image"
