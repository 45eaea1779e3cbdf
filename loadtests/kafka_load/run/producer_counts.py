"""What the reports of a run say of its producers, in numbers."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping

from kafka_load.ledger import TopicPartition
from kafka_load.ledger.spans import size
from kafka_load.run.worker import Report


def by_partition(reports: Mapping[str, Report], dead: Collection[str]) -> dict[str, Counter[TopicPartition]]:
    """Records `sent` and `acknowledged`, by partition; `dead` are workers that died."""
    sent: Counter[TopicPartition] = Counter()
    acknowledged: Counter[TopicPartition] = Counter()
    for report in reports.values():
        for producer in report.snapshot.producers:
            for number, account in producer.streams.items():
                if report.worker not in dead:  # what became of what a dead one sent, nobody knows
                    sent[producer.topic, number] += account.sent
                acknowledged[producer.topic, number] += size(account.acknowledged) + size(account.aborted)
    return {"sent": sent, "acknowledged": acknowledged}


def unreported(last: Report) -> int:
    """Records that were due in a worker that died, of which its last report does not say what became of them."""
    accounts = [account for producer in last.snapshot.producers for account in producer.streams.values()]
    known = sum(size(one.acknowledged) + size(one.failed) + size(one.aborted) for one in accounts)
    return max(0, last.total.counts.get("due", 0) - known)
