"""A roll that may not go on, and one that was cut short."""

import os
import re
import signal
import subprocess

import pytest
from live import ROOT, SITE, command, nothing_restarts, play, replicas_in_sync, starts
from testinfra.host import Host

CHANGED = {"queued.max.requests": 502}
PROPERTIES = "/etc/kafka/server.properties"


def test_a_broker_that_is_only_just_starting_is_waited_for(hosts: dict[str, Host]) -> None:
    """As after a reboot: its process is there, the cluster does not have it yet."""
    hosts["kafka2"].check_output("systemctl restart kafka")
    with nothing_restarts():
        run = play(SITE)
    assert run.ok, run.why
    assert run.changed == 0
    assert "tasks/wait.yml for kafka2" in run.sentences


def test_while_a_broker_is_down_no_second_one_is_touched(stopped: Host) -> None:
    with nothing_restarts():
        run = play(SITE, "--limit=kafka2,kafka3", kafka_config=CHANGED, kafka_gate_timeout_s=5)
    assert not run.ok
    assert re.search(r"Broker [23] may not be stopped after 5 s of waiting: .*min\.insync\.replicas", run.sentences)


@pytest.mark.usefixtures("_declared_again")
def test_a_run_killed_between_writing_and_restarting_is_finished_by_the_next(hosts: dict[str, Host]) -> None:
    """The gate is held shut by a stopped broker, so that the run is killed at the very point that matters."""
    hosts["kafka1"].check_output("systemctl stop kafka")
    before = starts()
    arguments = command(SITE, "--limit=kafka2", kafka_config=CHANGED)
    # Otherwise a task is named only once it has a result.
    shown = os.environ | {"ANSIBLE_DISPLAY_SKIPPED_HOSTS": "true"}
    with subprocess.Popen(
        arguments, cwd=ROOT, env=shown, stdout=subprocess.PIPE, text=True, start_new_session=True
    ) as run:
        assert run.stdout
        assert any("Wait until it may be stopped" in line for line in run.stdout)
        os.killpg(run.pid, signal.SIGKILL)
    hosts["kafka1"].check_output("systemctl start kafka")
    replicas_in_sync()
    assert starts()["kafka2"] == before["kafka2"]
    assert "queued.max.requests=502" in hosts["kafka2"].file(PROPERTIES).content_string

    before = starts()
    finished = play(SITE, "--limit=kafka2", kafka_config=CHANGED)
    assert finished.ok, finished.why
    assert {name for name, start in starts().items() if start != before[name]} == {"kafka2"}
    assert "queued.max.requests=502" in hosts["kafka2"].file("/run/kafka/server.properties").content_string
