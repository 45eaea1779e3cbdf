"""What several tests of the load harness need: a browser, a mock cluster, no deadlines (machines are shared)."""

from collections.abc import Iterator

import hypothesis
import pytest
from mock_cluster import MockCluster
from playwright.sync_api import Browser, sync_playwright

hypothesis.settings.register_profile("crucible", deadline=None)
hypothesis.settings.load_profile("crucible")

CHROMIUM = "/usr/bin/chromium"
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """Debian's Chromium, headless (package chromium)."""
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield chromium
        chromium.close()


@pytest.fixture
def cluster() -> Iterator[MockCluster]:
    """Three mock brokers with the topic `orders` (3 partitions)."""
    with MockCluster() as mock:
        mock.topic("orders", 3)
        yield mock


@pytest.fixture
def shop(cluster: MockCluster) -> MockCluster:
    """A mock cluster with both topics of the shop, for one run: a second would wait for the groups of the first."""
    cluster.topic("clicks", 12)
    return cluster
