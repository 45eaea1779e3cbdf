#!/bin/sh
# make_image.sh RELEASE IMAGE LOCK: builds the host image of a Debian release unless it is there. The lock keeps labs that start side by side from
# building the same image twice.
set -eu
release=$1
image=$2
exec 9> "$3"
flock 9

podman image exists "$image" && exit
tar=$(mktemp --suffix=.tar)
trap 'rm -f "$tar"' EXIT
"$(dirname "$0")/image/build.sh" "$release" "$tar"
podman image prune --all --force --filter label=crucible.image=host --filter "label=crucible.release=$release"
podman import --quiet --change 'CMD ["/lib/systemd/systemd"]' --change "LABEL crucible.image=host crucible.release=$release" "$tar" "$image"
