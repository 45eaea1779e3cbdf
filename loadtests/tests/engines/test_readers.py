"""Members of groups against a mock cluster: they come and go, answer for what they read, and lose nothing."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import pytest
from confluent_kafka import TopicPartition
from kafka_load.config.schedule import constant
from kafka_load.engines import take_log_lines
from kafka_load.engines.consumer import ConsumerEngine
from kafka_load.engines.settings import ClientSettings, ReaderSettings
from kafka_load.ledger import Ledger, LedgerSnapshot, read_journals
from kafka_load.native_threads import wait_until
from mock_cluster import OFFSET_COMMIT, REBALANCE_IN_PROGRESS, MockCluster
from scenario import TOPIC, Scenario, end, group


@pytest.mark.parametrize(
    "settings",
    [
        {"assignor": "cooperative-sticky"},
        {"assignor": "range"},
        {"protocol": "consumer"},
        {"instance_id": "shelf"},
    ],
    ids=lambda settings: "-".join(map(str, settings.values())),
)
def test_members_come_go_and_die_and_nothing_is_lost(cluster: MockCluster, settings: dict[str, Any]) -> None:
    scenario_run = Scenario(cluster)

    def named(number: int) -> dict[str, Any]:
        return {**settings, "instance_id": f"shelf-{number}"} if "instance_id" in settings else settings

    first, second = (scenario_run.join("warehouse", **named(number)) for number in (1, 2))
    analytics = scenario_run.join("analytics", mode="pubsub")
    engine = scenario_run.producer(constant(1_000), format="binary")
    assert wait_until(lambda: first.totals.delivered > 100 and second.totals.delivered > 100, 15)
    third = scenario_run.join("warehouse", **named(3))
    assert wait_until(lambda: third.totals.delivered > 100, 15)
    end(first)
    second.kill()
    at_kill = third.totals.delivered
    assert wait_until(lambda: third.totals.delivered > at_kill + 3_000, 20)
    end(engine)
    judgement = scenario_run.finish()
    sent = judgement.produced.acknowledged
    assert (group(judgement, "warehouse").lost, group(judgement, "analytics").lost) == (0, 0)
    assert group(judgement, "warehouse").consumed == sent + group(judgement, "warehouse").redelivered
    assert analytics.totals.delivered == sent
    assert {anomaly.kind for anomaly in judgement.anomalies} <= {"redelivered"}


def test_share_members_hand_back_and_reject_and_nothing_is_lost(cluster: MockCluster) -> None:
    scenario_run = Scenario(cluster)
    members = [scenario_run.join("pickers", mode="share", release=0.1, reject=0.05) for _ in range(4)]
    time.sleep(1)  # let them join: a share consumer does not tell
    scenario_run.send(2_000)
    judgement = scenario_run.finish()
    verdict = group(judgement, "pickers")
    assert (verdict.mode, verdict.lost, verdict.reordered, verdict.duplicated_in_log) == ("share", 0, 0, 0)
    assert verdict.consumed == 2_000 + verdict.redelivered
    assert sum(member.totals.delivered > 0 for member in members) > 1


def test_a_journal_knows_what_was_committed(cluster: MockCluster, tmp_path: Path) -> None:
    scenario_run = Scenario(cluster, watched=("warehouse",))
    member = scenario_run.join("warehouse", journal_dir=tmp_path)
    scenario_run.send(500)
    assert wait_until(lambda: member.totals.delivered == 500, 10)
    assert wait_until(lambda: sum(scenario_run.watch.view.committed.get("warehouse", {}).values()) == 500, 10)
    snapshot = scenario_run.ledger.snapshot()
    ledger = Ledger()
    ledger.receive(LedgerSnapshot("worker", 1, snapshot.producers, []))
    for journal in read_journals(tmp_path):
        ledger.receive_journal(journal)
    assert ledger.judge(scenario_run.watch.view, final=True).groups[0].lost == 0
    end(member, scenario_run.watch)


def test_a_refused_commit_is_said_and_made_again(cluster: MockCluster) -> None:
    scenario_run = Scenario(cluster, watched=("warehouse",))
    for broker in (1, 2, 3):
        for _ in range(5):  # more than there are commits while records come
            cluster.refuse(broker, OFFSET_COMMIT, REBALANCE_IN_PROGRESS)
    member = scenario_run.join("warehouse")
    scenario_run.send(100)
    assert wait_until(lambda: member.totals.delivered == 100, 10)
    assert wait_until(lambda: sum(scenario_run.watch.view.committed.get("warehouse", {}).values()) == 100, 10)
    assert any("warehouse: commit refused: " in line.text for line in take_log_lines())
    end(member, scenario_run.watch)


class Asked:
    """Stands for a consumer that knows where a partition ends once a fetch was answered, and counts the questions."""

    def __init__(self) -> None:
        self.answered = False
        self.times = 0

    def get_watermark_offsets(self, _: TopicPartition, cached: bool) -> tuple[int, int]:
        """What the last answer to a fetch said, -1001 before the first."""
        assert cached
        self.times += 1
        return (0, 7) if self.answered else (-1001, -1001)


def test_a_partition_is_not_asked_about_again_once_a_fetch_was_answered() -> None:
    """Each question keeps the whole process waiting as long as librdkafka's threads block each other."""
    engine = ConsumerEngine(ClientSettings("127.0.0.1:1"), ReaderSettings("warehouse", (TOPIC,), 1))
    consumer: Any = Asked()
    engine._consumer, place = consumer, TopicPartition(TOPIC, 0)
    engine._on_assign(consumer, [place])
    assert engine._fetched() == ()
    consumer.answered = True
    assert [engine._fetched() for _ in range(9)] == [((TOPIC, 0),)] * 9
    assert consumer.times == 2
    engine._killed = True  # so that nothing is committed
    engine._on_revoke(consumer, [place])
    assert engine._fetched() == ()
    consumer.answered = False
    engine._on_assign(consumer, [place])
    assert engine._fetched() == ()
    assert consumer.times == 3
