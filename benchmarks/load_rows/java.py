"""Java's own `kafka-producer-perf-test`, from the archive that the cluster is deployed from.

The tool has no keys, so its records are eight bytes shorter than the others'. Batch size and linger are the harness's;
the heap is the tool's own default.
"""

from __future__ import annotations

import re
import shutil
import tarfile
from pathlib import Path

from kafka_load.engines import ProducerSettings

from benchmarks.load_rows.contender import ROOT, Contender
from benchmarks.load_rows.topic import Topic

ARCHIVES = ROOT / ".cache" / "kafka"
UNPACKED = ROOT / ".cache" / "bench-kafka"
ENDLESS = 2**40


def missing() -> str:
    """Why the tool cannot be run here, in words; empty if it can."""
    if shutil.which("java") is None:
        return "there is no java on this machine"
    if not _archives():
        return f"there is no Kafka archive in {ARCHIVES.relative_to(ROOT)} (a deployed lab leaves one there)"
    return ""


def contender(size: int) -> Contender:
    """The tool with the harness's settings, sending records of `size` bytes as fast as it can."""
    settings = ProducerSettings("", 0, 0)
    properties = {
        "acks": settings.acks,
        "enable.idempotence": str(settings.idempotent).lower(),
        "batch.size": str(settings.batch_bytes),
        "linger.ms": f"{settings.linger_ms:g}",
        "compression.type": settings.compression,
    }
    java = ["java", "-Xmx512m", "-cp", f"{_libraries()}/*", "org.apache.kafka.tools.ProducerPerformance"]
    load = ["--num-records", str(ENDLESS), "--record-size", str(size), "--throughput", "-1"]
    given = [f"{name}={value}" for name, value in properties.items()]

    def command(topic: Topic) -> list[str]:
        # Older releases do not know the name that newer ones would like to have instead of --producer-props.
        where = ["--topic", topic.name, "--producer-props", f"bootstrap.servers={topic.bootstrap}"]
        return [*java, *load, *where, *given]

    return Contender("kafka-producer-perf-test", command)


def _archives() -> list[Path]:
    """The archives there are, the newest release last."""
    return sorted(ARCHIVES.glob("kafka_*.tgz"), key=lambda path: [int(part) for part in re.findall(r"\d+", path.stem)])


def _libraries() -> Path:
    """The newest release's `libs`, unpacked."""
    newest = _archives()[-1]
    libraries = UNPACKED / newest.stem / "libs"
    if not libraries.exists():
        UNPACKED.mkdir(parents=True, exist_ok=True)
        with tarfile.open(newest) as archive:
            archive.extractall(UNPACKED, filter="data")
    return libraries
