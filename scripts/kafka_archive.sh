#!/bin/sh
# kafka_archive.sh VERSION FOLDER: assembles kafka_2.13-VERSION.tgz from Maven Central, with its .sha512 beside it.
# Its layout is the official archive's as far as a broker needs it: one top folder with libs/ (no bin/, which the kafka
# role writes itself). The same version gives the same bytes on any machine, so that the checksum can be relied on.
set -eu
version=$1
folder=$2

name=kafka_2.13-$version
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

dependency() {
    printf '<dependency><groupId>%s</groupId><artifactId>%s</artifactId><version>%s</version></dependency>\n' "$@"
}

{
    echo '<project><modelVersion>4.0.0</modelVersion><groupId>lab</groupId><artifactId>kafka</artifactId><version>1</version>'
    echo '<packaging>pom</packaging><dependencies>'
    dependency org.apache.kafka kafka_2.13 "$version"
    dependency org.apache.kafka kafka-tools "$version"
    case $version in
        3.*) ;; # Logs by reload4j, which is among its dependencies.
        *) dependency org.apache.logging.log4j log4j-slf4j-impl 2.25.4 ;; # Without it a broker logs nothing.
    esac
    echo '</dependencies></project>'
} > "$work/pom.xml"

mvn --batch-mode --quiet --file "$work/pom.xml" org.apache.maven.plugins:maven-dependency-plugin:3.6.1:copy-dependencies \
    -DincludeScope=runtime -DoutputDirectory="$work/$name/libs"

tar --create --directory="$work" --sort=name --mtime=@0 --owner=0 --group=0 --numeric-owner --mode=u=rwX,go=rX "$name" |
    gzip --no-name > "$work/$name.tgz"
(cd "$work" && sha512sum "$name.tgz" > "$name.tgz.sha512")

# The checksum last: where it stands, the archive is whole.
mkdir -p "$folder"
mv "$work/$name.tgz" "$work/$name.tgz.sha512" "$folder/"
