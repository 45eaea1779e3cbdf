"""The modules of the way to KRaft at their edge, where journal, quorum and ZooKeeper tell what is set."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[2]
QUORUM = """\
NodeId DirectoryId LogEndOffset Lag LastFetchTimestamp LastCaughtUpTimestamp Status
101 w8kxAnmUQD2JPMYZ6h2gQA 9 0 1 1 Leader
102 a8kxAnmUQD2JPMYZ6h2gQA 9 0 1 1 Follower
103 b8kxAnmUQD2JPMYZ6h2gQA 9 0 1 1 Follower
"""
REPLAYED = "ZkMigrationStateRecord changing the migration state"
# As journalctl prints it for a process that was started 8 s after the host had booted.
LOG = f"""\
[    9.235159] controller1 java[710]: INFO starting (kafka.server.ControllerServer)
[   11.436283] controller1 java[710]: INFO Replayed a {REPLAYED} from NONE to PRE_MIGRATION.
[   12.035737] controller1 java[710]: INFO 101 transitioning from WAIT_FOR_CONTROLLER_QUORUM to WAIT_FOR_BROKERS state
"""
SYSTEMCTL = """#!/bin/sh
[ "$*" = 'show --property=InvocationID,ExecMainStartTimestampMonotonic kafka.service' ] || exit 1
echo ExecMainStartTimestampMonotonic=8000000
echo InvocationID=7a3e8cead84048bea8529c5a62812be7
"""
JOURNALCTL = """#!/bin/sh
asked='--no-pager --quiet --output=short-monotonic _SYSTEMD_INVOCATION_ID=7a3e8cead84048bea8529c5a62812be7'
[ "$*" = "$asked" ] || exit 1
cat "$(dirname "$0")/log"
"""
# It answers what stands in the files beside it, and deletes them as it is told; `tree` has all paths, for `ls`.
SHELL = """#!/usr/bin/env python3
import pathlib, sys
folder = pathlib.Path(__file__).parent
print("WatchedEvent state:SyncConnected")
for line in sys.stdin.read().splitlines():
    verb, _, path = line.partition(" /")
    znode = folder / path
    if verb == "ls":
        paths = (folder / "tree").read_text().split()
        above = "/" + path.rstrip("/") + "/" if path else "/"
        below = sorted(name.removeprefix(above) for name in paths if name.startswith(above))
        names = [name for name in below if name and "/" not in name]
        print("[" + ", ".join(names) + "]" if path == "" or "/" + path in paths else "Node does not exist: /" + path)
    if verb == "get":
        print(znode.read_text() if znode.exists() else "Node does not exist: /" + path)
    if verb == "set":
        name, value = path.split()
        (folder / name).write_text(value)
    if verb == "delete":
        znode.unlink()
"""


def run(name: str, path: Path, check: bool = False, **options: Any) -> dict[str, Any]:
    """Run a module with its options, and return its answer."""
    done = subprocess.run(
        [sys.executable, ROOT / f"plugins/modules/{name}.py"],
        input=json.dumps({"ANSIBLE_MODULE_ARGS": {**options, "_ansible_check_mode": check}}),
        env=os.environ | {"PATH": f"{path}:{os.environ['PATH']}", "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stdout, done.stderr
    answer: dict[str, Any] = json.loads(done.stdout)
    return answer


@pytest.fixture
def tools(tmp_path: Path) -> Path:
    """A folder with the tools of a controller that waits for the brokers."""
    scripts = {
        "systemctl": SYSTEMCTL,
        "journalctl": JOURNALCTL,
        "quorum": '#!/bin/sh\ncat "$(dirname "$0")/replication"\n',
        "zookeeper": SHELL,
    }
    for name, text in scripts.items():
        (tmp_path / name).write_text(text, encoding="utf-8")
        (tmp_path / name).chmod(0o755)
    (tmp_path / "log").write_text(LOG, encoding="utf-8")
    (tmp_path / "replication").write_text(QUORUM, encoding="utf-8")
    return tmp_path


def gate(tools: Path, phase: str, check: bool = False) -> dict[str, Any]:
    return run(
        "kafka_migration_gate",
        tools,
        check,
        quorum_command=[str(tools / "quorum")],
        node_id=101,
        voters=[101, 102, 103],
        phase=phase,
        timeout_s=0,
    )


def test_the_gate_opens_for_a_controller_that_says_so_itself(tools: Path) -> None:
    answer = gate(tools, "controllers")
    assert (answer["changed"], answer["reasons"], answer["driver"]) == (False, [], "WAIT_FOR_BROKERS")


def test_the_gate_stays_closed_and_says_why(tools: Path) -> None:
    answer = gate(tools, "dual_write")
    assert answer["failed"] and "controller 101 is in PRE_MIGRATION, not MIGRATION" in answer["msg"]
    assert not gate(tools, "dual_write", check=True).get("failed")


def test_a_controller_whose_journal_no_longer_has_its_state_is_to_be_restarted(tools: Path) -> None:
    (tools / "log").write_text("[1209600.000001] controller1 java[710]: INFO Rolled new log segment\n", "utf-8")
    answer = gate(tools, "controllers")
    assert answer["failed"] and answer["msg"] == (
        "The controllers are not known to have reached the phase controllers: controller 101 logged its state so long"
        " ago that its journal no longer has it. Restart the controller (systemctl restart kafka), which then logs its"
        " state again. If others say the same, restart them one at a time, each once the one before follows again"
        " (docs/operations.md). Then repeat this run."
    )


def test_a_unit_that_never_ran_has_logged_nothing(tools: Path) -> None:
    (tools / "systemctl").write_text("#!/bin/sh\necho ExecMainStartTimestampMonotonic=0\necho InvocationID=\n", "utf-8")
    answer = gate(tools, "controllers")
    assert answer["failed"] and "controller 101 is in no state of a migration" in answer["msg"]


def test_a_controller_that_does_not_answer_is_not_ready(tools: Path) -> None:
    (tools / "quorum").write_text("#!/bin/sh\necho Timed out >&2\nexit 1\n", encoding="utf-8")
    answer = gate(tools, "controllers")
    assert answer["failed"] and "controller 101 does not answer: Timed out" in answer["msg"]


def znodes(tools: Path, check: bool = False) -> dict[str, Any]:
    return run("kafka_migration_znodes", tools, check, command=[str(tools / "zookeeper")], controllers=[101, 102, 103])


@pytest.fixture
def led(tools: Path) -> Path:
    """The same with an ensemble whose cluster is led by KRaft controllers."""
    leads = '{"version":2,"brokerid":103,"timestamp":"1","kraftControllerEpoch":9}'
    (tools / "controller").write_text(leads, encoding="utf-8")
    (tools / "migration").write_text('{"version":0,"kraft_controller_id":103,"kraft_controller_epoch":9}', "utf-8")
    (tools / "controller_epoch").write_text("5", encoding="utf-8")
    return tools


def test_the_next_controller_comes_after_all_that_wrote_and_nothing_of_them_is_left(led: Path) -> None:
    assert znodes(led, check=True)["changed"] and (led / "controller").exists()
    assert (led / "controller_epoch").read_text() == "5"
    answer = znodes(led)
    assert (answer["changed"], list(answer["deleted"]), answer["epoch"]) == (True, ["/controller", "/migration"], 9)
    assert not (led / "controller").exists() and not (led / "migration").exists()
    assert (led / "controller_epoch").read_text() == "9"
    assert not znodes(led)["changed"]


def test_an_epoch_that_is_high_enough_stays(led: Path) -> None:
    (led / "controller_epoch").write_text("9", encoding="utf-8")
    answer = znodes(led)
    assert (answer["changed"], "epoch" in answer, (led / "controller_epoch").read_text()) == (True, False, "9")


def test_nothing_is_touched_while_the_epoch_cannot_be_read(led: Path) -> None:
    (led / "controller_epoch").unlink()
    answer = znodes(led)
    assert answer["failed"] and "Nothing was deleted: ZooKeeper does not tell /controller_epoch." in answer["msg"]
    assert (led / "controller").exists() and (led / "migration").exists()


@pytest.mark.parametrize(("counted", "elected_anew"), [("5", True), ("9", False)])
def test_a_broker_that_leads_with_a_lower_epoch_is_elected_anew(led: Path, counted: str, elected_anew: bool) -> None:
    """Somebody has deleted the controllers' znode by hand, or a run was killed in between."""
    (led / "controller").write_text('{"version":2,"brokerid":2,"kraftControllerEpoch":-1}', encoding="utf-8")
    (led / "controller_epoch").write_text(counted, encoding="utf-8")
    assert list(znodes(led)["deleted"]) == ["/migration"]
    assert (led / "controller").exists() is not elected_anew
    assert (led / "controller_epoch").read_text() == "9"


def test_nothing_is_deleted_when_the_epoch_cannot_be_raised(led: Path) -> None:
    (led / "zookeeper").write_text(SHELL.replace('verb == "set"', "False"), encoding="utf-8")
    answer = znodes(led)
    assert answer["failed"] and "ZooKeeper has /controller_epoch 5, although it was set to 9" in answer["msg"]
    assert (led / "controller").exists() and (led / "migration").exists()


def test_what_is_there_after_it_was_deleted_is_told(led: Path) -> None:
    (led / "zookeeper").write_text(SHELL.replace("znode.unlink()", "pass"), encoding="utf-8")
    answer = znodes(led)
    assert answer["failed"] and "ZooKeeper still has /controller and /migration" in answer["msg"]


def test_a_broker_stays_the_controller(tools: Path) -> None:
    (tools / "controller").write_text('{"version":2,"brokerid":2,"kraftControllerEpoch":-1}', encoding="utf-8")
    (tools / "controller_epoch").write_text("5", encoding="utf-8")
    assert not znodes(tools)["changed"]
    assert (tools / "controller").exists() and (tools / "controller_epoch").read_text() == "5"


def test_an_ensemble_that_does_not_answer_is_told(tools: Path) -> None:
    (tools / "zookeeper").write_text("#!/bin/sh\ncat > /dev/null\necho Connection refused\n", encoding="utf-8")
    answer = znodes(tools)
    assert answer["failed"] and "ZooKeeper does not answer: Connection refused" in answer["msg"]


OURS = "/zookeeper /zookeeper/quota /kafka /kafka/brokers /kafka/brokers/ids /kafka/migration"


def ensemble(tools: Path, tree: str, connect: str = "zk1:2181,zk2:2181/kafka", resumed: bool = False) -> dict[str, Any]:
    (tools / "tree").write_text(tree, encoding="utf-8")
    return run(
        "kafka_migration_ensemble",
        tools,
        command=[str(tools / "zookeeper")],
        connect=connect,
        servers=["zk1", "zk2"],
        resumed=resumed,
    )


def test_an_ensemble_of_this_cluster_alone_may_be_taken_down(tools: Path) -> None:
    assert ensemble(tools, OURS) == {
        "changed": False,
        "others": [],
        "unanswered": "",
        "invocation": {
            "module_args": {
                "command": [str(tools / "zookeeper")],
                "connect": "zk1:2181,zk2:2181/kafka",
                "servers": ["zk1", "zk2"],
                "resumed": False,
            }
        },
    }
    # As after the chroot was deleted by hand.
    assert ensemble(tools, "/zookeeper", "zk1:2181/kafka/orders")["others"] == []


@pytest.mark.parametrize("resumed", [False, True])
def test_an_ensemble_that_others_use_is_not_taken_down(tools: Path, resumed: bool) -> None:
    answer = ensemble(tools, f"{OURS} /solr /kafka/orders", resumed=resumed)
    assert answer["failed"] and answer["msg"] == (
        "Nothing was changed. Other systems than this cluster have /solr and /kafka/orders in ZooKeeper, and"
        " kafka_migration_phase finished would take zk1 and zk2 down: give -e migration_keep_ensemble=yes, with which"
        " the servers stay as they are, or remove from ZooKeeper what nobody needs."
    )


@pytest.mark.parametrize(
    ("shell", "why"),
    [
        ("echo Connection refused", "Connection refused"),
        ("true", "it says nothing"),
        (
            "echo SyncConnected; echo KeeperErrorCode = ConnectionLoss for /",
            "it was asked to list / and /kafka, and said: SyncConnected KeeperErrorCode = ConnectionLoss for /",
        ),
    ],
)
def test_an_ensemble_that_does_not_tell_is_taken_down_by_the_run_after_one_that_asked_alone(
    tools: Path, shell: str, why: str
) -> None:
    (tools / "zookeeper").write_text(f"#!/bin/sh\ncat > /dev/null\n{shell}\n", encoding="utf-8")
    answer = ensemble(tools, OURS)
    assert answer["failed"] and answer["msg"] == (
        "Nothing was changed. ZooKeeper does not tell what else it holds, and kafka_migration_phase finished would take"
        " zk1 and zk2 down: start the servers (systemctl start zookeeper), or give -e migration_keep_ensemble=yes, with"
        f" which the servers stay as they are ({why})."
    )
    answer = ensemble(tools, OURS, resumed=True)
    assert (answer["changed"], answer["others"], answer["unanswered"]) == (False, [], why)
