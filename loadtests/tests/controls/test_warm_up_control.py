"""Control of `--warmup`: the brokers take their time only while the run warms up.

The independent checks: a plain producer finds them slow then, and a plain consumer counts all records in the log.
"""

from __future__ import annotations

import json
import time
from pathlib import Path

import pytest
from confluent_kafka import Producer
from locust_run import Run
from mock_cluster import MockCluster
from plain_clients import written

SLOW_MS, LIMIT_MS, RATE, WARM_UP_S, RUN_S = 1_500, 1_400, 200, 14, 22


@pytest.mark.parametrize(("warmup_s", "status"), [(WARM_UP_S, 0), (0, 1)])
def test_what_is_slow_in_the_warm_up_breaks_no_limit(
    shop: MockCluster, tmp_path: Path, warmup_s: int, status: int
) -> None:
    limit = (f"--slo-p99-produce-ms={LIMIT_MS}", f"--warmup={warmup_s}s", f"--rate={RATE}", f"--run-time={RUN_S}s")
    run = Run(tmp_path, shop.bootstrap, "--profile", "smoke", *limit)
    run.until(1)
    for broker in (1, 2, 3):
        shop.rtt(broker, SLOW_MS)
    began = time.monotonic()
    plain = Producer({"bootstrap.servers": shop.bootstrap, "log_level": 0})
    plain.produce("clicks", b"how long does the cluster take?")
    assert plain.flush(30) == 0
    assert time.monotonic() - began > SLOW_MS / 1_000
    for broker in (1, 2, 3):
        shop.rtt(broker, 0)
    assert run.wait() == status
    acknowledged = run.verdict["produced"]["acknowledged"]
    assert written(shop, "orders") + written(shop, "clicks") - 1 == acknowledged == RATE * RUN_S
    warmup = run.verdict["plan"]["warmup"].values()
    assert [sum(topic[name] for topic in warmup) for name in ("due", "acknowledged")] == [RATE * warmup_s] * 2
    counted = json.loads((tmp_path / "latest" / "histograms.json").read_text())
    assert {sum(count for _, count in pairs) for pairs in [counted["acknowledged"]]} == {RATE * (RUN_S - warmup_s)}
    [result] = [one for one in run.verdict["slo"] if one["name"] == "p99_produce_ms"]
    assert (result["value"] >= SLOW_MS * 0.99) == (status == 1)
