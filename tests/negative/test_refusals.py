"""What cannot work is refused before anything is touched: all of it at once, each with the variable to change."""

from pathlib import Path
from typing import Any

import live
import pytest
import yaml
from live import SITE, Run, nothing_changes, play

# kafka1 takes kafka2's id and is no controller, kafka2's clock is an hour ahead, kafka3 has no id and no known name.
LATER = "/run/later"
HOSTS = {
    "kafka1": {"kafka_node_id": 2, "kafka_process_roles": ["broker"]},
    "kafka2": {"ansible_python_interpreter": f"/usr/bin/env PYTHONPATH={LATER} /usr/bin/python3"},
    "kafka3": {"kafka_node_id": "", "kafka_advertised_host": "nowhere.invalid"},
}
EVERYTHING = {
    "java_major_version": 11,
    "kafka_config": {"default.replication.factor": 5, "min.insync.replicas": 6},
    "kafka_data_dirs": [{"path": "/var/lib/kafka/data", "mount": ""}, {"path": "/srv/more", "mount": ""}],
    "kafka_heap_mb": 1_000_000,
    "kafka_topics": [{"name": "orders", "partitions": 3, "replication_factor": 4}],
    "kafka_verison": "4.3.1",
    "preflight_min_disk_mb": 1_000_000_000,
}
SENTENCES = (
    "kafka_node_id: kafka3 has none",
    "kafka_node_id: 2 is given to kafka1 and kafka2",
    "kafka_process_roles: 2 controllers survive no more failures than 1",
    "kafka_config: default.replication.factor is 5, but there are 3 brokers",
    "kafka_config: min.insync.replicas 6 is above default.replication.factor 5",
    "kafka_topics: orders has replication factor 4, but there are 3 brokers",
    "kafka_verison: no role has this variable; did you mean kafka_version?",
    "java_major_version: Kafka 4.3.1 needs Java 17 or later, not 11",
    "for /srv/more, less than preflight_min_disk_mb",
    "MB of memory for a heap of 1000000 MB",
    "s ahead of this machine's; have an NTP service set it",
    "kafka_advertised_host: kafka1 cannot resolve nowhere.invalid",
)


@pytest.fixture(scope="module")
def everything(tmp_path_factory: pytest.TempPathFactory) -> Run:
    """A run in which everything is wrong that can be at the same time."""
    inventory: Path = tmp_path_factory.mktemp("wrong") / "hosts.yml"
    inventory.write_text(yaml.safe_dump({"kafka": {"hosts": HOSTS}}), encoding="utf-8")
    with nothing_changes():
        return play(SITE, inventory=inventory, **EVERYTHING)


@pytest.fixture(scope="module", autouse=True)
def _later() -> None:
    """Let Python on kafka2 believe in another time, where HOSTS says so; a container has no clock of its own."""
    host = live.host("kafka2")
    shift = "import time; now = time.time_ns; time.time_ns = lambda: now() + 3600 * 10**9"
    host.check_output(f"mkdir -p {LATER} && echo '{shift}' > {LATER}/sitecustomize.py")


@pytest.mark.parametrize("sentence", SENTENCES)
def test_it_is_said_before_anything_changes(everything: Run, sentence: str) -> None:
    assert not everything.ok
    assert everything.changed == 0
    assert sentence in everything.sentences


@pytest.mark.parametrize(
    ("extra", "sentence"),
    [
        ({"kafka_mode": "zookeeper"}, "Kafka 4.3.1 has no ZooKeeper mode, 3.9 was the last release with it; use KRaft"),
        ({"kafka_version": "4.2.1"}, "kafka_version: 4.2.1 is older than the cluster's metadata.version 30"),
    ],
)
def test_a_mode_or_release_that_the_cluster_cannot_have_is_refused(extra: dict[str, Any], sentence: str) -> None:
    with nothing_changes():
        run = play(SITE, **extra)
    assert not run.ok
    assert sentence in run.sentences
