"""What must be refused, stopped or finished, tried on a cluster that serves: a converged lab, as molecule leaves it."""

from collections.abc import Iterator

import pytest
from live import BROKERS, SITE, host, play, replicas_in_sync
from testinfra.host import Host


@pytest.fixture(scope="session", autouse=True)
def _settled() -> None:
    """Let the cluster be what its inventory declares, whatever was tried on it before."""
    run = play(SITE)
    assert run.ok, run.why


@pytest.fixture
def _declared_again() -> Iterator[None]:
    """Undo afterwards what a test has let site.yml change."""
    yield
    run = play(SITE)
    assert run.ok, run.why


@pytest.fixture
def hosts() -> dict[str, Host]:
    """The brokers' hosts by name."""
    return {name: host(name) for name in BROKERS}


@pytest.fixture
def stopped(request: pytest.FixtureRequest) -> Iterator[Host]:
    """A host whose broker is stopped, and is started again afterwards; kafka1, or the one named by the test."""
    on = host(getattr(request, "param", "kafka1"))
    on.check_output("systemctl stop kafka")
    yield on
    on.check_output("systemctl start kafka")
    replicas_in_sync()
