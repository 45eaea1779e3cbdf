"""How late records were sent, and how much of it was the cluster's doing.

A producer whose in-flight window is full, whose client refuses records, or whose transaction is being committed cannot
send what is due: the cluster has not answered. What the harness itself was late is what remains. It is what the same
harness would have been late had it never been held up: a queue's waiting time under Lindley's recursion (1952).
"""

from __future__ import annotations

from typing import Literal

from kafka_load.engines.warm_up import WarmUp
from kafka_load.histogram import Histogram, Int64s, bucket_of

Cause = Literal["window", "queue", "transaction"]
"""What held records up: the in-flight window, the client's own queue, or the end of a transaction."""


class Lateness:
    """The lateness of one producer's records that were due after the warm-up, and how many were sent in it.

    Its size does not depend on how long the producer runs.
    """

    def __init__(self, warm_up: WarmUp | None = None) -> None:
        self._warm_up = warm_up or WarmUp()
        self.sent_in_warm_up = 0
        self.total, self.own = Histogram(), Histogram()
        self.blocked_ns: dict[str, int] = {"window": 0, "queue": 0, "transaction": 0}
        self._excused_ns = 0  # how much of the present backlog goes back to waiting for the cluster

    def blocked(self, cause: Cause, since_ns: int, until_ns: int) -> None:
        """Nothing could be sent in this time, because of the cluster."""
        self.blocked_ns[cause] += until_ns - since_ns
        self._excused_ns += until_ns - since_ns

    def begin(self, first_due_ns: int, now_ns: int) -> None:
        """The records that are sent next are due from `first_due_ns` on.

        A backlog shrinks only if the harness sends faster than records become due, so a harness that cannot keep up
        stays late on its own account, whatever held it up before.
        """
        self._excused_ns = min(self._excused_ns, max(0, now_ns - first_due_ns))

    def own_ns(self, due_ns: int, now_ns: int) -> int:
        """How late a record that was due then and is sent now is by the harness's own fault."""
        return max(0, now_ns - due_ns - self._excused_ns)

    def sent(self, due_ns: Int64s, now_ns: int) -> None:
        """Records that were due at these times are handed to the client now."""
        if (until_ns := self._warm_up.until_ns) and int(due_ns.min()) < until_ns:
            measured = due_ns[due_ns >= until_ns]
            self.sent_in_warm_up += len(due_ns) - len(measured)
            due_ns = measured
        late_ns = now_ns - due_ns
        buckets = bucket_of(late_ns // 1_000)
        self.total.add_buckets(buckets)
        self.own.add_buckets(bucket_of((late_ns - self._excused_ns) // 1_000) if self._excused_ns else buckets)
