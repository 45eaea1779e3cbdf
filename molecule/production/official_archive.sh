#!/bin/sh
# official_archive.sh ARCHIVE FOLDER: from an archive of jars alone makes one with the official layout, of the same name.
# Its bin/ has scripts like Kafka's own: all of them go through kafka-run-class.sh, which takes the Java in $JAVA_HOME, or
# else the first in the PATH. The checksum beside it is written as Apache publishes it: in groups, upper case, two lines.
set -eu
archive=$1
folder=$2

name=$(basename "$archive" .tgz)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
tar --extract --file "$archive" --directory "$work"
mkdir "$work/$name/bin"

cat > "$work/$name/bin/kafka-run-class.sh" << 'SCRIPT'
#!/bin/bash
base_dir=$(dirname $0)/..
if [ -z "$KAFKA_HEAP_OPTS" ]; then
  KAFKA_HEAP_OPTS="-Xmx256M"
fi
if [ -z "$JAVA_HOME" ]; then
  JAVA="java"
else
  JAVA="$JAVA_HOME/bin/java"
fi
# Kafka's own script makes this folder for its logs, wherever it may.
LOG_DIR=${LOG_DIR:-$base_dir/logs}
[ -d "$LOG_DIR" ] || mkdir -p "$LOG_DIR" 2> /dev/null || true
exec "$JAVA" $KAFKA_HEAP_OPTS $KAFKA_OPTS -cp "$base_dir/libs/*" "$@"
SCRIPT

while read -r tool main; do
    printf '#!/bin/bash\nexec $(dirname $0)/kafka-run-class.sh %s "$@"\n' "$main" > "$work/$name/bin/$tool.sh"
done << 'TOOLS'
kafka-configs kafka.admin.ConfigCommand
kafka-console-consumer org.apache.kafka.tools.consumer.ConsoleConsumer
kafka-console-producer org.apache.kafka.tools.ConsoleProducer
kafka-metadata-quorum org.apache.kafka.tools.MetadataQuorumCommand
kafka-storage kafka.tools.StorageTool
kafka-topics org.apache.kafka.tools.TopicCommand
TOOLS

chmod +x "$work/$name"/bin/*.sh
tar --create --directory="$work" --sort=name --mtime=@0 --owner=0 --group=0 --numeric-owner --mode=u=rwX,go=rX "$name" |
    gzip --fast --no-name > "$work/$name.tgz"
mkdir -p "$folder"
(cd "$work" && sha512sum "$name.tgz") | tr a-f A-F | awk -v name="$name.tgz" '{
    sum = $1
    line = name ": "
    for (i = 0; i < 16; i++) line = line substr(sum, 8 * i + 1, 8) (i == 7 ? "\n " : " ")
    print line
}' > "$folder/$name.tgz.sha512"
mv "$work/$name.tgz" "$folder/"
