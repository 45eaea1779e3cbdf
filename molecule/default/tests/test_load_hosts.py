"""A run from two load generators whose clocks are apart, one of which dies in it.

The clock of Python is changed on one of the hosts, as loadtests/tests/locust_with_clock.py says why; librdkafka's and
the brokers' stay right. So the independent check is a plain consumer that holds the time at which each record was due,
which the harness wrote into it, against the record's timestamp, which librdkafka gave it.
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from confluent_kafka import Consumer, TopicPartition
from live import BOOTSTRAP, BROKERS, host, play
from plain_reader import read
from testinfra.host import Host

MASTER, OTHER = "kafka2", "kafka3"
AHEAD_S, START_S = 5, 300
KILLED_S, ENDED_S = 15, 30  # By the run's own timeline.
RESULTS = "/opt/crucible-load/loadtests/results"
PROFILE = """
duration = "50m"
size = "json"
[rate]
OrderProducer = 200
[users]
OrderProducer = 2
NotificationReader = 2
WarehouseMember = 2
"""
CLOCK = f"""
import time
right_ns = time.time_ns
time.time_ns = lambda: right_ns() + {AHEAD_S * 10**9}
time.time = lambda: time.time_ns() / 1e9
"""


INSTALL = f"""
- hosts: {OTHER}
  gather_facts: true
  tasks:
    - ansible.builtin.import_role: {{name: crucible.kafka.loadgen, tasks_from: install}}
"""


@pytest.fixture
def other(tmp_path: Path) -> Iterator[Host]:
    """The host whose clock is wrong; the master's port is open to it."""
    found, rule = host(OTHER), f"allow from {BROKERS[OTHER]} to any port 5557 proto tcp"
    (tmp_path / "install.yml").write_text(INSTALL, encoding="utf-8")
    installed = play(str(tmp_path / "install.yml"))
    assert installed.ok, installed.why
    [packages] = found.check_output("ls -d /opt/crucible-load/venv/lib/python3*/site-packages").split()
    host(MASTER).check_output(f"ufw {rule}")
    found.check_output(f"printf %%s %s > {packages}/clock_ahead.py", CLOCK)
    found.check_output(f"echo import clock_ahead > {packages}/clock_ahead.pth")
    yield found
    host(MASTER).check_output(f"ufw delete {rule}")
    found.check_output(f"rm {packages}/clock_ahead.py {packages}/clock_ahead.pth")


def reach(seconds: int, before: str) -> None:
    """Wait until the run that follows the one of this name has come so far."""
    master, deadline = host(MASTER), time.monotonic() + START_S
    while time.monotonic() < deadline:
        name = master.run(f"readlink {RESULTS}/latest").stdout
        if name != before and int(master.run(f"wc -l < {RESULTS}/latest/timeline.csv").stdout or 0) > seconds:
            return
        time.sleep(0.5)
    raise AssertionError(f"the run did not reach {seconds} s")


def kill_worker(other: Host, before: str) -> None:
    """Kill the other host's worker in the middle of the run, and end the run some time later."""
    reach(KILLED_S, before)
    other.check_output("systemctl kill --signal=SIGKILL 'crucible-load-*-worker-0.service'")
    reach(ENDED_S, before)
    host(MASTER).check_output("systemctl kill --signal=SIGINT 'crucible-load-*-master.service'")


def ends() -> list[TopicPartition]:
    """Where the topic ends now, in each of its partitions."""
    client = Consumer({"bootstrap.servers": ",".join(BOOTSTRAP), "group.id": "check"})
    numbers = client.list_topics("orders", timeout=60).topics["orders"].partitions
    places = [TopicPartition("orders", number) for number in numbers]
    found = [TopicPartition(one.topic, one.partition, client.get_watermark_offsets(one, 60)[1]) for one in places]
    client.close()
    return found


def test_a_worker_whose_clock_is_wrong_and_that_dies_makes_no_false_findings(other: Host, tmp_path: Path) -> None:
    begin, before = ends(), host(MASTER).run(f"readlink {RESULTS}/latest").stdout
    (tmp_path / "two.toml").write_text(PROFILE, encoding="utf-8")
    with ThreadPoolExecutor(1) as killer:
        killed = killer.submit(kill_worker, other, before)
        done = play(
            "playbooks/loadtest.yml",
            loadgen_hosts=f"{MASTER},{OTHER}",
            loadgen_workers=1,
            loadgen_profile=str(tmp_path / "two.toml"),
            loadgen_results_dir=str(tmp_path),
            loadgen_options=["--max-late-ms=120000", "--session-timeout-ms=6000"],
        )
        killed.result()
    path = tmp_path / "latest/verdict.json"
    assert path.exists(), done.why
    verdict, records = json.loads(path.read_text(encoding="utf-8")), read(",".join(BOOTSTRAP), begin)

    assert round(max(clock["ahead_s"] for clock in verdict["clocks"].values())) == AHEAD_S
    unsure_s = max(latency["uncertainty"] for latency in verdict["latency_us"]["end_to_end"].values()) / 1e6
    ahead_s = [json.loads(record.value())["due_ns"] / 1e9 - record.timestamp()[1] / 1e3 for record in records]
    assert max(ahead_s) <= min(unsure_s, AHEAD_S / 2) + 0.001, "sent before it was due: a timestamp is in whole ms"
    assert len(records) >= verdict["produced"]["acknowledged"] > 200 * KILLED_S // 2
    assert {group["group"]: group["lost"] for group in verdict["groups"]} == {
        "warehouse-group": 0,
        "notification-group": 0,
    }
    # What only the dead worker read stands in its journals, which stayed on its host.
    assert any("its journals are not on this host" in note for note in verdict["notes"]), verdict["notes"]
    assert verdict["outcome"] == "inconclusive"
