"""What the rows of releases say when they are asked."""

from __future__ import annotations

from itertools import pairwise

import pytest

from ansible_collections.crucible.kafka.plugins.module_utils.releases import (
    METADATA_VERSION,
    RELEASES,
    java_versions,
    line,
    lowest_after,
    oldest_that_reads,
    removed_since,
    shown,
)


@pytest.mark.parametrize(
    ("version", "expected"),
    [("4.3.1", (4, 3)), ("3.10.0", (3, 10)), ("4.3", None), ("4.3.1-rc1", None), ("v4.3.1", None), ("", None)],
)
def test_a_version_belongs_to_a_minor_release(version: str, expected: tuple[int, int] | None) -> None:
    assert line(version) == expected
    assert expected is None or version.startswith(f"{shown(expected)}.")


def test_no_release_knows_less_than_the_one_before_it() -> None:
    releases = [RELEASES[each].features for each in sorted(RELEASES)]
    assert list(RELEASES) == sorted(RELEASES)
    for former, following in pairwise(releases):
        assert former[METADATA_VERSION] < following[METADATA_VERSION]
        assert all(following[name] >= level for name, level in former.items())


@pytest.mark.parametrize(
    ("level", "lowest", "oldest"),
    [(21, 17, (3, 9)), (22, 17, (3, 9)), (29, 23, (4, 0)), (30, 30, (4, 3)), (33, 33, (4, 4))],
)
def test_a_level_that_changes_the_metadata_bars_the_way_back(level: int, lowest: int, oldest: tuple[int, int]) -> None:
    assert (lowest_after(level), oldest_that_reads(level)) == (lowest, oldest)


def test_of_levels_beyond_the_known_releases_no_release_is_said_to_run_them() -> None:
    assert oldest_that_reads(99) == (4, 4)  # As far as the changes are known.


def test_java_is_known_by_the_release_or_by_the_newest_one_of_its_kind() -> None:
    assert [java_versions(each) for each in ((3, 9), (3, 4), (4, 0), (4, 9), (5, 0))] == [
        (8, 23),
        (8, 23),
        (17, 99),
        (17, 99),
        None,
    ]


def test_a_removed_property_is_known_by_the_release_that_removed_it() -> None:
    assert (removed_since("inter.broker.protocol.version"), removed_since("num.io.threads")) == ((4, 0), None)
