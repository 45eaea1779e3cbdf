"""What a node's own logs call an error, and which of it has an explanation."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable

from testinfra.host import Host

# What a node calls an error and is none, whenever nodes come and go on a busy machine.
EXPECTED = (
    "apiKey=BROKER_HEARTBEAT",  # A new active controller refuses heartbeats until it is ready.
    # A controller registers itself with one that is not the active one (any more, or yet), and asks the next one.
    r"apiKey=CONTROLLER_REGISTRATION\b.*NotControllerException: "
    r"(The active controller appears to be node \d+|No controller appears to be active)",
    "EventPerformanceMonitor",  # A slow machine.
    # The same: a heartbeat waited too long in the active controller's queue. It counts, so that no broker is fenced.
    r"processExpiredBrokerHeartbeat: controller event queue overloaded\.",
    # The same: a controller that stops gives its office away, and waits five seconds until another has it.
    r"RaftManager id=\d+\] Graceful shutdown of RaftClient failed .*Timeout expired before graceful shutdown completed",
    r"Controller \d+ fails to send a request to broker",  # ZooKeeper mode: to one that is being restarted.
    "ERROR Unexpected exception in LearnerHandler",  # ZooKeeper: a follower went away or was restarted.
    # Every few minutes; one that has only just been given its partitions does it the next time.
    r"ShareCoordinator id=\d+\] Received error while snapshotting cold partitions\..*CoordinatorLoadInProgress",
    # Kafka's own faults (docs/failover.md): a controller that is being restarted is asked for what it has not got, and
    # one that is stopping counts an error for which it has no meter any more.
    r'because the return value of "kafka\.server\.ControllerServer\.raftManager\(\)" is null',
    # A topic that is given partitions: brokers call each new one an error, and make it. Known only for the topics of
    # test_verdict_controls.py, which are given some: a partition that was there before must not be missing.
    r"Expected partition control-[0-9a-f]{8}-\d+ with topic id \S+ to exist, but it was missing\. Creating",
    r'RequestMetrics\$ErrorMeter\.getOrCreateMeter\(\)" because the return value of '
    r'"java\.util\.Map\.get\(Object\)" is null',
    # What a producer sends behind a transaction that was ended late, in the control of test_transform.py alone.
    r"Error processing append operation on partition \S*late-commit-[0-9a-f]{6}-enriched-\d+\b.*"
    r"errors\.(OutOfOrderSequence|InvalidTxnState|InvalidProducerEpoch)Exception",
)

# All that is kept, the oldest first: Kafka's files, ZooKeeper's part of the journal, what systemd says of the units.
# An exception stands on the line after the error.
READ = r"""
find /var/log/kafka -name 'server.log*' -printf '%T@ %p\n' | sort -n | cut -d ' ' -f 2 | xargs -r cat | awk '
  /^\[[^]]*\] (ERROR|FATAL) / {if (error) print error; error = $0; next}
  error {print (/^\[/ ? error : error ": " $0); error = ""}
  END {if (error) print error}'
journalctl --quiet --unit=zookeeper --output=short-unix | grep -E ': (ERROR|FATAL) '
journalctl --quiet --unit=kafka --unit=zookeeper --priority=err --output=short-unix
true
"""


def errors(host: Host) -> list[str]:
    """Return all errors that a node's logs still have, each with its time and its exception in one line."""
    return str(host.check_output(READ)).splitlines()


def added(before: Iterable[str], after: Iterable[str]) -> list[str]:
    """Return the lines of `after` that `before` has not, each as often as it was added."""
    return list((Counter(after) - Counter(before)).elements())


def unexplained(lines: Iterable[str], explained: Iterable[str] = ()) -> list[str]:
    """Return the lines in which none of the expressions is found, neither one of `explained` nor one of EXPECTED."""
    known = re.compile("|".join((*EXPECTED, *explained)))
    return [line for line in lines if not known.search(line)]


def told(lines: Iterable[str]) -> list[str]:
    """Return one line for all that differ in nothing but numbers: the first of them, and how many they are."""
    kinds: dict[str, list[str]] = {}
    for line in lines:
        kinds.setdefault(re.sub(r"\d+", "0", line), []).append(line)
    return [kind[0] if len(kind) == 1 else f"{kind[0]} (and {len(kind) - 1} like it)" for kind in kinds.values()]
