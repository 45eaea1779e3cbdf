"""A change to a running cluster is refused before anything is touched where it cannot be done safely."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from live import MOUNT, SITE, active_voters, host, nothing_changes, nothing_restarts, play, replicas_in_sync, starts
from testinfra.host import Host

DATA = {"path": f"{MOUNT}/data", "mount": MOUNT}
MORE = {"path": f"{MOUNT}/more", "mount": MOUNT}


def inventory(folder: Path, **hosts: dict[str, Any]) -> Path:
    """Write what some hosts of the group kafka have beside the lab's inventory."""
    file = folder / "hosts.yml"
    file.write_text(yaml.safe_dump({"kafka": {"hosts": hosts}}), encoding="utf-8")
    return file


def refused(*args: str, file: Path | None = None, **extra: Any) -> str:
    """Run site.yml, insist that it is refused and that nothing is another afterwards, and return what it says."""
    with nothing_changes(), nothing_restarts():
        run = play(SITE, *args, inventory=file, **extra)
    assert not run.ok
    assert run.changed == 0
    return run.sentences


# What each host is declared to be, and what is said of it; all in one run.
UNSAFE: dict[str, dict[str, Any]] = {
    "kafka1": {"kafka_data_dirs": [MORE, DATA]},
    "kafka2": {"kafka_process_roles": ["controller"]},
    # A host cannot be taken out of the lab's inventory by another one; it can be given another node id.
    "kafka3": {"kafka_node_id": 4},
}
UNSAFE_SENTENCES = {
    "a new disk that is put first": f"The metadata log of kafka1 is in {DATA['path']}",
    "what to do about it": f"Keep {DATA['path']} first",
    "a broker that is to be a controller only, and holds replicas": (
        "kafka_process_roles: kafka2 is to be a controller only, but broker 2 is registered and holds"
    ),
    "a node that is no longer declared": "votes as a controller, but no host of the inventory has kafka_node_id 3",
    "what to do about that one": "run playbooks/remove_broker.yml with it if it is to leave the cluster",
}


@pytest.fixture(scope="module")
def said_of_unsafe(tmp_path_factory: pytest.TempPathFactory) -> str:
    """What a run says in which each host is declared in a way that its cluster could not bear."""
    file = inventory(tmp_path_factory.mktemp("unsafe"), **UNSAFE)
    return refused(file=file, kafka_topics=[], kafka_topics_replication_factor=2)


@pytest.mark.parametrize("sentence", UNSAFE_SENTENCES.values(), ids=list(UNSAFE_SENTENCES))
def test_what_the_cluster_could_not_bear_is_told_of_each_host(said_of_unsafe: str, sentence: str) -> None:
    assert sentence in said_of_unsafe


def test_a_new_host_is_not_added_without_those_whose_firewalls_must_admit_it(tmp_path: Path) -> None:
    new = {"kafka_node_id": 4, "kafka_process_roles": ["broker"], "data_disk_mounts": []}
    new["kafka_data_dirs"] = [{"path": "/srv/kafka", "mount": ""}]
    said = refused("--limit=stranger1", file=inventory(tmp_path, stranger1=new))
    assert "--limit: stranger1 is new to the cluster" in said
    assert "Run it without --limit" in said


@pytest.fixture
def _one_directory_again() -> Iterator[None]:
    yield
    run = play(SITE)
    assert run.ok, run.why
    on = host("kafka2")
    assert on.file("/run/kafka/server.properties").contains(f"^log.dirs={DATA['path']}$")
    on.check_output(f"rm --recursive --force {MORE['path']}")


@pytest.mark.usefixtures("_one_directory_again")
def test_a_further_directory_of_a_host_is_added_replaced_and_removed(tmp_path: Path, hosts: dict[str, Host]) -> None:
    """`production` adds one to all hosts, one after the other."""
    file, before, on = inventory(tmp_path, kafka2={"kafka_data_dirs": [DATA, MORE]}), starts(), hosts["kafka2"]
    added = play(SITE, inventory=file)
    assert added.ok, added.why
    assert f"log.dirs changed; format {MORE['path']}" in added.sentences
    assert on.file(f"{MORE['path']}/meta.properties").exists
    replicas_in_sync()

    on.check_output(f"systemctl stop kafka && rm --recursive {MORE['path']}")
    replaced = play(SITE, inventory=file)
    assert replaced.ok, replaced.why
    assert (
        f"kafka2: start, because it does not run and {MORE['path']} is blank; format {MORE['path']}"
        in replaced.sentences
    )
    assert on.file(f"{MORE['path']}/meta.properties").exists
    assert {name for name, start in starts().items() if start != before[name]} == {"kafka2"}
    replicas_in_sync()


def test_a_controller_becomes_a_broker_alone_and_a_controller_again(tmp_path: Path) -> None:
    file = inventory(tmp_path, kafka3={"kafka_process_roles": ["broker"]})
    broker = play(SITE, inventory=file)
    assert broker.ok, broker.why
    assert "kafka3: restart, because it is no longer to be a controller" in broker.sentences
    assert set(active_voters()) == {1, 2}

    said = refused(file=file, kafka_open_files=90_000)
    assert "kafka_process_roles: only the controllers 1 and 2 vote" in said

    both = play(SITE)
    assert both.ok, both.why
    assert "kafka3: rejoin, because it is to be a controller and has no vote" in both.sentences
    assert set(active_voters()) == {1, 2, 3}
    replicas_in_sync()
