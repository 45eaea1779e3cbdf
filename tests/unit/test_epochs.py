"""A record that is in the log twice is told apart by whose doing it was: the broker's, or the client's."""

from __future__ import annotations

from matrix.epochs import batches, by_broker

LINE = (
    "baseOffset: {first} lastOffset: {last} count: 3 baseSequence: {sequence} lastSequence: 120 producerId: 9004 "
    "producerEpoch: {epoch} partitionLeaderEpoch: 6 isTransactional: false isControl: false size: 725 magic: 2"
)
DUMP = "\n".join(
    (
        "Dumping /var/lib/kafka/data/clicks-2/00000000000000000000.log",
        LINE.format(first=100, last=102, sequence=118, epoch=0),
        LINE.format(first=103, last=105, sequence=0, epoch=1),  # The same records under a new epoch.
        LINE.format(first=106, last=108, sequence=118, epoch=0),  # The same batch once more.
    )
)


def test_a_batch_is_read_with_the_identity_of_its_records() -> None:
    first, second, _ = batches(DUMP)
    assert (first.first, first.last) == (100, 102)
    assert first.identity(101) == (9004, 0, 119)
    assert second.identity(103) == (9004, 1, 0)


def test_what_a_client_sends_again_under_a_new_epoch_is_not_the_brokers_doing() -> None:
    assert by_broker([(100, 103), (101, 104)], batches(DUMP)) == 0


def test_what_is_there_twice_under_one_identity_is_the_brokers_doing() -> None:
    assert by_broker([(100, 106)], batches(DUMP)) == 1
    assert by_broker([(100, 103, 106)], batches(DUMP)) == 1


def test_a_copy_that_no_batch_explains_counts_against_the_broker() -> None:
    assert by_broker([(100, 500)], batches(DUMP)) == 1
