"""A broker that was just started takes its partitions over in steps, and only those that it can lead."""

from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.crucible.kafka.plugins.module_utils.cluster import Partition
from ansible_collections.crucible.kafka.plugins.module_utils.leadership import batches

PARTITIONS = st.lists(
    st.builds(
        Partition,
        topic=st.sampled_from(["orders", "clicks", "__consumer_offsets"]),
        index=st.integers(0, 40),
        leader=st.sampled_from([-1, 1, 2, 3]),
        replicas=st.permutations([1, 2, 3]).map(tuple),
        isr=st.sampled_from([(1, 2, 3), (1, 3), (2,)]),
        min_isr=st.just(2),
    ),
    unique_by=lambda partition: partition.name,
)


def partition(index: int, leader: int = 1, isr: tuple[int, ...] = (1, 2, 3), topic: str = "orders") -> Partition:
    return Partition(topic, index, leader, (2, 3, 1), isr, 2)


def test_one_comes_first_and_each_step_is_twice_as_large() -> None:
    steps = list(batches([partition(index) for index in range(9)], 2))
    assert [[each.index for each in step] for step in steps] == [[0], [1, 2], [3, 4, 5, 6], [7, 8]]


def test_what_it_leads_or_cannot_or_should_not_lead_is_left_alone() -> None:
    assert list(batches([partition(0, leader=2), partition(1, isr=(1, 3))], 2)) == []
    assert list(batches([partition(0)], 3)) == []


def test_kafkas_own_topics_come_last() -> None:
    steps = list(batches([partition(0, topic="__consumer_offsets"), partition(0)], 2))
    assert [[each.topic for each in step] for step in steps] == [["orders"], ["__consumer_offsets"]]


@given(PARTITIONS)
def test_every_partition_is_taken_over_once(partitions: list[Partition]) -> None:
    taken = [each.name for step in batches(partitions, 2) for each in step]
    due = [each.name for each in partitions if each.replicas[0] == 2 and 2 in each.isr and each.leader != 2]
    assert sorted(taken) == sorted(due)
