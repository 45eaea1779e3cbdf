"""An outage makes every client of librdkafka talk; one line a change is what people get."""

from __future__ import annotations

from kafka_load.engines.client_log import ClientListener, take_log_lines

OUTAGE = (
    ("FAIL", "[thrd:192.0.2.1:9092/1]: 192.0.2.1:9092/1: Connect to ipv4#192.0.2.1:9092 failed: refused (after 0ms)"),
    ("REQTMOUT", "[thrd:192.0.2.1:9092/1]: 192.0.2.1:9092/1: Timed out ProduceRequest in flight (after 1001ms)"),
    ("REQTMOUT", "[thrd:GroupCoordinator]: GroupCoordinator/1: Timed out OffsetCommitRequest in flight (after 1002ms)"),
    ("REQTMOUT", "[thrd:GroupCoordinator]: GroupCoordinator/1: Timed out 1 in-flight, 0 retry-queued, 0 out-queue"),
    ("FAIL", "[thrd:GroupCoordinator]: GroupCoordinator: 192.0.2.1:9092: Connect to ipv4#192.0.2.1:9092 failed"),
    ("FAIL", "[thrd:GroupCoordinator]: GroupCoordinator: Connect to ipv4#192.0.2.1:9092 failed: refused (after 0ms)"),
)


def test_an_outage_is_one_line_however_many_clients_and_coordinators_tell_of_it() -> None:
    take_log_lines()
    for _ in range(8):
        for facility, text in OUTAGE:
            ClientListener().log(4, "%s [%s] %s", facility, "rdkafka#consumer-1", text)
    (said,) = [one.text for one in take_log_lines()]
    assert said.startswith("broker 192.0.2.1:9092 is down: Connect to")


def test_a_line_of_librdkafkas_log_says_what_it_means_instead_of_its_facility() -> None:
    take_log_lines()
    text = "[thrd:main]: Failed to acquire PID: Broker: Coordinator load in progress: retrying"
    ClientListener().log(4, "%s [%s] %s", "GETPID", "rdkafka#producer-1", text)
    ClientListener().log(4, "%s [%s] %s", "CONFWARN", "rdkafka#producer-1", "[thrd:app]: that has no effect")
    assert [one.text for one in take_log_lines()] == [
        "a producer is not given its id yet, and asks again: Failed to acquire PID: Broker: Coordinator load in "
        "progress: retrying",
        "librdkafka: that has no effect",
    ]
