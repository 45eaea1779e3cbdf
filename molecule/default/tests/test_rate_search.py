"""The search for the sustainable rate on real brokers, which carry no more than a quota permits.

The quota is the independent check: payloads alone may take so many bytes a second, so that no more records than that
can pass for long. A quota looks at the last ten seconds together, so that a step has to last longer than that.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from kafka_load.ownership import CLIENT_ID
from live import BOOTSTRAP, play
from locust_run import Run

SIZE, BYTE_RATE = 100, 60_000
PERMITTED = BYTE_RATE / SIZE
QUOTA = {"client_id": CLIENT_ID, "producer_byte_rate": BYTE_RATE}
PROFILE = f"""
duration = "60s"
[topics.narrow]
rate = {{shape = "steps", from = 200, to = 1000, steps = 5, tolerance = 1.0}}
partitions = 1
size = {SIZE}
[groups.reader]
topics = ["narrow"]
[slo]
lost = 0
achieved_rate = 0.9
"""


def declare(quota: dict[str, object]) -> None:
    run = play("playbooks/access.yml", kafka_quotas=[quota])
    assert run.ok, run.why


@pytest.fixture
def _narrow() -> Iterator[None]:
    """One broker takes no more from the harness than the quota permits."""
    declare(QUOTA)
    yield
    declare({"client_id": CLIENT_ID, "state": "absent"})


def shop_run(folder: Path, *arguments: str) -> Run:
    """A run against brokers, which refuse the session timeout that suits the mock ones."""
    return Run(folder, ",".join(BOOTSTRAP), "--session-timeout-ms=10000", *arguments)


@pytest.mark.usefixtures("_narrow")
def test_the_rate_that_is_found_is_no_more_than_a_quota_permits_and_the_throttling_is_told(tmp_path: Path) -> None:
    profile = tmp_path / "narrow.toml"
    profile.write_text(PROFILE)
    run = shop_run(tmp_path, "--profile", str(profile))
    assert run.wait() == 0
    found = run.verdict["saturation"]
    assert found["sustained_rate"] <= PERMITTED < 2 * found["unsustained_rate"]
    assert run.verdict["client"]["throttle_ms_max"] > 0


def test_nobody_is_throttled_without_a_quota(tmp_path: Path) -> None:
    run = shop_run(tmp_path, "--profile=smoke", "--run-time=5s", "--write-topics=orders,clicks", "--group-prefix=free-")
    assert run.wait() == 0
    assert run.verdict["client"]["throttle_ms_max"] == 0
