"""The module zookeeper_gate: what it asks the servers, and what it tells of their answers."""

from __future__ import annotations

import socketserver
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

import pytest
from module_runner import run_module

from ansible_collections.crucible.kafka.plugins.modules import zookeeper_gate


@contextmanager
def server(mode: str) -> Iterator[str]:
    """A server that answers `srvr` with this mode; its address."""

    class Answer(socketserver.BaseRequestHandler):
        def handle(self) -> None:
            if self.request.recv(4) == b"srvr":
                self.request.sendall(f"Zookeeper version: 3.8.4\nMode: {mode}\nNode count: 5\n".encode("latin-1"))

    with socketserver.TCPServer(("127.0.0.1", 0), Answer) as listening:
        threading.Thread(target=listening.serve_forever, daemon=True).start()
        yield f"127.0.0.1:{listening.server_address[1]}"
        listening.shutdown()


@pytest.fixture
def ensemble() -> Iterator[list[str]]:
    """A leader and a follower that answer, and a third server that does not listen."""
    with ExitStack() as stack:
        serving = [stack.enter_context(server(mode)) for mode in ("leader", "follower")]
        with server("follower") as gone:
            pass
        yield [*serving, gone]


def gate(ensemble: list[str], index: int, phase: str, **arguments: Any) -> dict[str, Any]:
    return run_module(
        "zookeeper_gate", servers=ensemble, server=ensemble[index], phase=phase, **{"timeout_s": 0, **arguments}
    )


def test_it_tells_what_each_server_says_that_it_is(ensemble: list[str]) -> None:
    answer = gate(ensemble, 0, "after")
    assert answer["mode"] == "leader"
    assert answer["modes"] == dict(zip(ensemble, ["leader", "follower", ""], strict=True))


@pytest.mark.parametrize(
    ("index", "phase", "told"),
    [
        (2, "after", "has not come back after 0 s"),
        (0, "before", "may not be stopped after 0 s: without"),
        (1, "removal", "may not be removed after 0 s: without"),
    ],
)
def test_it_fails_with_the_reason_and_only_tells_it_in_check_mode(
    ensemble: list[str], index: int, phase: str, told: str
) -> None:
    answer = gate(ensemble, index, phase)
    assert answer["failed"]
    assert f"ZooKeeper {ensemble[index]} {told}" in answer["msg"]
    answer = gate(ensemble, index, phase, check=True)
    assert "failed" not in answer
    assert answer["reasons"]


def test_servers_that_are_removed_together_are_judged_together() -> None:
    with ExitStack() as stack:
        servers = [stack.enter_context(server(mode)) for mode in ("leader", "follower", "follower")]
        assert "failed" not in gate(servers, 2, "removal")
        assert "failed" in gate(servers, 2, "removal", along=servers[1:])


def test_a_server_that_is_back_in_time_opens_the_gate(monkeypatch: pytest.MonkeyPatch) -> None:
    modes = iter(["", "", "follower"])
    monkeypatch.setattr(zookeeper_gate, "POLL_INTERVAL_S", 0)
    monkeypatch.setattr(zookeeper_gate, "mode", lambda *_: next(modes))
    answer = gate(["zk1:2181"], 0, "after", timeout_s=3600)
    assert (answer["mode"], answer["modes"], answer["reasons"]) == ("follower", {"zk1:2181": "follower"}, [])
    assert answer["changed"] is False


def test_a_service_that_is_no_zookeeper_does_not_serve() -> None:
    with server("\xff\xfe") as other:
        answer = gate([other], 0, "after", check=True)
    assert answer["reasons"] == [f"{other} does not serve"]


def test_a_name_that_no_resolver_knows_does_not_serve() -> None:
    answer = gate(["zk1..example.com:2181"], 0, "after", check=True)
    assert answer["reasons"] == ["zk1..example.com:2181 does not serve"]


SERVERS = ["zk1:2181", "zk2:2181"]


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        *(
            ({name: None}, f"missing required arguments: {name}")
            for name in ("servers", "server", "phase", "timeout_s")
        ),
        ({"phase": "during"}, "value of phase must be one of: before, after, removal, got: during"),
        ({"timeout_s": "long"}, "argument 'timeout_s' is of type"),
        ({"server": "zk3:2181"}, "server: zk3:2181 is not one of servers (zk1:2181 and zk2:2181)."),
        ({"along": ["zk3:2181"]}, "along: zk3:2181 is not one of servers (zk1:2181 and zk2:2181)."),
        ({"servers": ["zk1", "zk1:2181"]}, "servers: 'zk1' is not host:port"),
        ({"servers": []}, "server: zk1:2181 is not one of servers (none)."),
    ],
)
@pytest.mark.parametrize("check", [False, True])
def test_what_cannot_be_asked_is_refused_by_the_parameters_name_before_a_server_is(
    monkeypatch: pytest.MonkeyPatch, changes: dict[str, Any], told: str, check: bool
) -> None:
    monkeypatch.setattr(zookeeper_gate, "mode", lambda *_: "follower")
    given = {"servers": SERVERS, "server": "zk1:2181", "phase": "after", "timeout_s": 0, **changes}
    answer = run_module(
        "zookeeper_gate", check=check, **{name: each for name, each in given.items() if each is not None}
    )
    assert answer.get("failed"), answer
    assert answer["msg"].startswith(told)
