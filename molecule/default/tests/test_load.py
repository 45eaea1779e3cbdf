"""The load harness against the real cluster: a run with a leader killed in it, and one from a load generator's host."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from pathlib import Path

import pytest
from confluent_kafka.admin import AdminClient
from kafka_load.run import run_annotations
from live import BOOTSTRAP, ROOT, host, play, replicas_in_sync

PARTITION = ("orders", 0)
GROUPS = {"warehouse-group", "analytics-group", "notification-group"}
KILL_AT_S, RUN_S = 5, 25
RUN = (
    *(str(Path(sys.executable).with_name("locust")), "--headless", "--profile=smoke", f"--run-time={RUN_S}s"),
    *(f"--bootstrap-servers={','.join(BOOTSTRAP)}", "--rate=300", "--max-late-ms=5000"),
)

# As smoke, with another number of records, of which each is the same line of a file.
PROFILE = """
duration = "10s"
payload = "data/orders.jsonl"
[rate]
OrderProducer = 400
ClickProducer = 500
[users]
OrderProducer = 1
ClickProducer = 1
WarehouseMember = 3
AnalyticsReader = 1
NotificationReader = 1
"""


def leader() -> int:
    topic, number = PARTITION
    watcher = AdminClient({"bootstrap.servers": ",".join(BOOTSTRAP), "log_level": 0})
    return int(watcher.list_topics(topic, timeout=10).topics[topic].partitions[number].leader)


def until(moment_ns: int) -> None:
    time.sleep(max(0.0, (moment_ns - time.time_ns()) / run_annotations.NS))


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a run in which the leader died; systemd starts it again."""
    results, killed = tmp_path_factory.mktemp("results"), leader()
    before = host(f"kafka{killed}").check_output("systemctl show --value --property=MainPID kafka")
    with subprocess.Popen([*RUN, f"--results-dir={results}"], cwd=ROOT) as locust:
        folder, started_ns = results / run_annotations.LATEST, None
        while locust.poll() is None and (started_ns := run_annotations.began_ns(folder)) is None:
            time.sleep(0.1)
        until((started_ns or 0) + KILL_AT_S * run_annotations.NS)
        host(f"kafka{killed}").check_output("systemctl kill --signal=SIGKILL kafka")
        run_annotations.mark(folder, "kill_broker", f"kafka{killed}")
        assert locust.wait(180) == 0
    assert host(f"kafka{killed}").check_output("systemctl show --value --property=MainPID kafka") != before
    replicas_in_sync()
    return folder.resolve()


def test_nothing_that_was_acknowledged_is_lost_when_a_leader_dies(run: Path) -> None:
    verdict = json.loads((run / "verdict.json").read_text(encoding="utf-8"))
    assert verdict["outcome"] == "pass"
    assert verdict["produced"]["acknowledged"] > RUN_S * 200
    counts = {(group["lost"], group["duplicated_in_log"], group["reordered"]) for group in verdict["groups"]}
    assert counts == {(0, 0, 0)}
    assert {group["group"] for group in verdict["groups"]} == GROUPS


def test_the_kill_is_seen_in_the_run_that_it_hit(run: Path) -> None:
    verdict = json.loads((run / "verdict.json").read_text(encoding="utf-8"))
    gap = verdict["availability"]["partitions"]["orders-0"]
    assert gap["longest_gap_s"] > 1
    assert [fault["name"] for fault in verdict["faults"]] == ["kill_broker"]
    leaders = (run / "leaders.csv").read_text(encoding="utf-8").splitlines()
    assert len({line.split(",")[2] for line in leaders if ",orders-0," in line}) > 1
    assert (run / "report.html").stat().st_size > 10_000
    assert len((run / "timeline.csv").read_text(encoding="utf-8").splitlines()) > RUN_S - 2


def test_master_and_workers_on_a_load_generator_send_their_results_home(tmp_path: Path) -> None:
    profile, client = tmp_path / "mine.toml", tmp_path / "client.properties"
    profile.write_text(PROFILE, encoding="utf-8")
    (tmp_path / "data").mkdir()
    (tmp_path / "data/orders.jsonl").write_text('{"item": "Laptop"}\n', encoding="utf-8")
    client.write_text("security.protocol=PLAINTEXT\nmetadata.max.age.ms=60000\n", encoding="utf-8")
    done = play(
        "playbooks/loadtest.yml",
        loadgen_hosts="kafka3",
        loadgen_profile=str(profile),
        loadgen_client_config=str(client),
        loadgen_options=["--max-late-ms=5000"],
        loadgen_results_dir=str(tmp_path),
    )
    assert done.ok, done.why
    assert "PASS" in done.output
    verdict = json.loads((tmp_path / "latest/verdict.json").read_text(encoding="utf-8"))
    assert verdict["produced"] == {"acknowledged": 9_000, "failed": 0, "indeterminate": 0}
    assert {group["group"] for group in verdict["groups"]} == GROUPS
    assert (tmp_path / "latest/report.html").exists()
    settings = json.loads((tmp_path / "latest/settings.json").read_text(encoding="utf-8"))
    assert "metadata.max.age.ms" in settings["client_config_sets"]
    assert host("kafka3").file("/opt/crucible-load/client.properties").mode == 0o600
    assert host("kafka3").run("systemctl list-units --plain --no-legend 'crucible-load-*'").stdout == ""
