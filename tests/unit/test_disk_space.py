"""No broker gets more bytes than its disks hold, by the limit that check_health has."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from kafka_hosts import cluster

from ansible_collections.crucible.kafka.plugins.module_utils.disk_space import refusals, unjudged
from ansible_collections.crucible.kafka.plugins.module_utils.health import (
    MAX_USED_PERCENT,
    BrokerReport,
    Expected,
    LogDir,
    assess,
)
from ansible_collections.crucible.kafka.plugins.module_utils.reassignment_plan import MB, Move

GETS_300 = [Move("orders", index, (1, 2), (1, 3), 100 * MB) for index in range(3)]
LARGE, FULL = LogDir("/data", 10_000 * MB, 9_000 * MB), LogDir("/data", 1_000 * MB, 50 * MB)


def refused(moves: list[Move], **dirs: list[LogDir]) -> list[str]:
    """The sentences, where broker 3 and maybe others have these directories."""
    log_dirs = {int(name.removeprefix("of_")): found for name, found in dirs.items()}
    return list(refusals(moves, log_dirs, MAX_USED_PERCENT))


def test_a_broker_that_would_be_too_full_is_refused_with_bytes_and_what_to_do() -> None:
    assert refused(GETS_300, of_1=[FULL], of_2=[FULL], of_3=[LogDir("/data", 1_000 * MB, 350 * MB)]) == [
        "Broker 3 would get 300.0 MB, but of its 1000.0 MB of disk 350.0 MB are usable, and 100.0 MB are to stay free"
        " (check_health fails above 90 % used): give it a larger disk or a further one (kafka_data_dirs), add a broker"
        " that takes a share (site.yml), or let topics keep less (retention.ms of a topic, log.retention.hours in"
        " kafka_config)."
    ]


def test_each_broker_that_would_be_too_full_has_a_sentence_of_its_own() -> None:
    to_both = [*GETS_300, Move("clicks", 0, (1,), (2,), 60 * MB)]
    told = refused(to_both, of_1=[FULL], of_2=[FULL], of_3=[FULL])
    assert [sentence.partition(",")[0] for sentence in told] == [
        "Broker 2 would get 60.0 MB",
        "Broker 3 would get 300.0 MB",
    ]


def test_a_broker_of_which_nothing_is_known_hides_no_other_one() -> None:
    to_both = [*GETS_300, Move("clicks", 0, (1,), (2,), 60 * MB)]
    assert [told.partition(" would")[0] for told in refused(to_both, of_3=[FULL])] == ["Broker 3"]
    assert unjudged(to_both, {3: [FULL]})[0].startswith("The free space of broker 2 is not judged")


def test_what_a_broker_loses_makes_no_room_for_what_it_gets() -> None:
    exchanged = [Move("orders", 0, (3,), (1,), 500 * MB), Move("orders", 1, (1,), (3,), 500 * MB)]
    assert len(refused(exchanged, of_1=[LARGE], of_3=[LogDir("/data", 1_000 * MB, 500 * MB)])) == 1


def test_a_broker_may_be_as_full_as_check_health_lets_it_be_and_no_fuller() -> None:
    (move,) = GETS_300[:1]
    assert refused([move], of_3=[LogDir("/data", 1_000 * MB, 200 * MB)]) == []
    assert len(refused([move], of_3=[LogDir("/data", 1_000 * MB, 200 * MB - 1)])) == 1


def test_a_full_broker_that_gets_no_bytes_is_no_reason_to_refuse() -> None:
    without_bytes = [Move("orders", 0, (1, 3), (3, 1), 100 * MB), Move("orders", 1, (1,), (3,), 0)]
    assert refused(without_bytes, of_1=[FULL], of_3=[FULL]) == []


def test_the_directories_of_a_broker_are_judged_together() -> None:
    half = LogDir("/data1", 1_000 * MB, 250 * MB)
    assert len(refused(GETS_300, of_3=[half])) == 1
    assert refused(GETS_300, of_3=[half, replace(half, path="/data2")]) == []


@pytest.mark.parametrize("off", [{"error": "the disk fails"}, {"cordoned": True}])
def test_a_directory_that_takes_no_replicas_has_no_room(off: dict[str, str | bool]) -> None:
    whole, other = LogDir("/data1", 1_000 * MB, 250 * MB), LogDir("/data2", 10_000 * MB, 9_000 * MB)
    assert refused(GETS_300, of_3=[whole, other]) == []
    (told,) = refused(GETS_300, of_3=[whole, replace(other, **off)])  # type: ignore[arg-type] # of different types
    assert "of its 1000.0 MB of disk 250.0 MB are usable" in told


UNKNOWN = LogDir("/data", -1, -1)


@pytest.mark.parametrize("dirs", [[UNKNOWN], [FULL, UNKNOWN], []])
def test_a_broker_that_does_not_report_bytes_is_not_judged_and_that_is_told(dirs: list[LogDir]) -> None:
    log_dirs = {1: [UNKNOWN], 2: [UNKNOWN], 3: dirs}
    assert list(refusals(GETS_300, log_dirs, MAX_USED_PERCENT)) == []
    assert unjudged(GETS_300, log_dirs) == [
        "The free space of broker 3 is not judged, because it does not report bytes (Kafka before 3.3 does not). Look"
        " at its disks with df first."
    ]


def test_several_brokers_that_do_not_report_bytes_are_told_in_one_sentence() -> None:
    to_both = [*GETS_300, Move("clicks", 0, (1,), (2,), 60 * MB)]
    (told,) = unjudged(to_both, {1: [UNKNOWN], 2: [UNKNOWN], 3: [UNKNOWN]})
    assert told == (
        "The free space of brokers 2 and 3 is not judged, because they do not report bytes (Kafka before 3.3 does not)."
        " Look at their disks with df first."
    )
    assert unjudged(to_both, {1: [UNKNOWN], 2: [LARGE], 3: [FULL]}) == []


@given(st.integers(1, 500), st.integers(0, 500), st.integers(1, 500))
def test_what_is_not_refused_is_not_too_full_for_check_health_afterwards(total: int, used: int, gets: int) -> None:
    usable = max(0, total - used)
    if refused([Move("orders", 0, (1,), (3,), gets)], of_3=[LogDir("/data", total, usable)]):
        return
    after = {3: BrokerReport("4.3", [LogDir("/data", total, usable - gets)])}
    assert [line for line in assess(cluster(), after, Expected()).problems if "room" in line] == []
