"""A roll that may not go on, and one that was cut short."""

import os
import re
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from live import ROOT, SITE, Run, command, nothing_restarts, play, replicas_in_sync, starts
from testinfra.host import Host

CHANGED = {"queued.max.requests": 502}
PROPERTIES = "/etc/kafka/server.properties"


@contextmanager
def site_up_to(sentence: str, *args: str, **extra: Any) -> Iterator[tuple[subprocess.Popen[str], list[str]]]:
    """Start site.yml and go on once it says `sentence`: its process, which runs on, and the lines so far."""
    # Otherwise a task is named only once it has a result.
    shown = os.environ | {"ANSIBLE_DISPLAY_SKIPPED_HOSTS": "true"}
    with subprocess.Popen(
        command(SITE, *args, **extra),
        cwd=ROOT,
        env=shown,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    ) as run:
        assert run.stdout
        said: list[str] = []
        for line in run.stdout:
            said.append(line)
            if sentence in line:
                break
        assert sentence in said[-1], "".join(said)
        yield run, said


@pytest.fixture
def starting(hosts: dict[str, Host]) -> Iterator[Host]:
    """The host of a broker that has been started and is held there: the cluster does not have it until it goes on."""
    on = hosts["kafka2"]
    on.check_output("systemctl restart kafka && systemctl kill --signal=STOP kafka")
    yield on
    on.check_output("systemctl kill --signal=CONT kafka")
    replicas_in_sync()


def test_a_broker_that_is_only_just_starting_is_waited_for(starting: Host) -> None:
    """As after a reboot: its process is there, the cluster does not have it yet."""
    with nothing_restarts():
        with site_up_to("tasks/wait.yml for kafka2") as (process, said):
            starting.check_output("systemctl kill --signal=CONT kafka")
            rest, _ = process.communicate()
        run = Run(process.returncode == 0, "".join(said) + rest)
    assert run.ok, run.why
    assert run.changed == 0


def test_while_a_broker_is_down_no_second_one_is_touched(stopped: Host) -> None:
    with nothing_restarts():
        run = play(SITE, "--limit=kafka2,kafka3", kafka_config=CHANGED, kafka_gate_timeout_s=5)
    assert not run.ok
    assert re.search(r"Broker [23] may not be stopped after \d+ s of waiting: .*min\.insync\.replicas", run.sentences)


@pytest.mark.usefixtures("_declared_again")
def test_a_run_killed_between_writing_and_restarting_is_finished_by_the_next(hosts: dict[str, Host]) -> None:
    """The gate is held shut by a stopped broker, so that the run is killed at the very point that matters."""
    hosts["kafka1"].check_output("systemctl stop kafka")
    before = starts()
    with site_up_to("Wait until it is safe to stop", "--limit=kafka2", kafka_config=CHANGED) as (run, _):
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
