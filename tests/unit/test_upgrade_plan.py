"""What is said of a change of the release, and what it is refused for."""

from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.crucible.kafka.plugins.module_utils.upgrade_plan import (
    ReleaseChange,
    drops_requests,
    format_release,
    format_source,
    notes,
    problems,
)

ALL_43 = {"kafka1": "4.3.1", "kafka2": "4.3.1", "kafka3": "4.3.1"}
HALF_WAY = {"kafka1": "4.4.0", "kafka2": "4.3.1", "kafka3": "4.3.1"}
ALL_39 = {"kafka1": "3.9.2", "kafka2": "3.9.2"}


def change(target: str, running: dict[str, str], **found: Any) -> ReleaseChange:
    return ReleaseChange(target, running, **found)


@pytest.mark.parametrize(
    "nothing_changes",
    [
        change(
            "4.3.1", ALL_43, blank=["kafka3"], topics={"a": {"segment.bytes": "1"}}, properties=["zookeeper.connect"]
        ),
        change("4.2.0", {}, blank=["kafka1"]),
        change("4.2.0", {"kafka1": "4.2.0"}),
    ],
)
def test_where_no_release_changes_nothing_is_said_and_nothing_refused(nothing_changes: ReleaseChange) -> None:
    assert (list(notes(nothing_changes)), list(problems(nothing_changes))) == ([], [])


def test_an_upgrade_tells_from_what_to_what_and_how_one_gets_back() -> None:
    assert list(notes(change("4.4.0", ALL_43))) == [
        "release: from 4.3.1 on kafka1, kafka2 and kafka3 to 4.4.0",
        "release: feature levels stay as they are, so kafka_version 4.3.1 leads back, until"
        " playbooks/finalize_features.yml raises them",
    ]


@pytest.mark.parametrize(
    ("target", "running", "drops"),
    [
        ("4.0.0", ALL_39, True),
        ("4.4.0", {"kafka1": "4.4.0", "kafka2": "3.9.2"}, True),
        ("3.9.3", ALL_39, False),
        ("4.4.0", ALL_43, False),
        ("3.9.2", {"kafka1": "4.0.1", "kafka2": "3.9.2"}, False),
        ("4.4.0", {}, False),
    ],
)
def test_requests_are_dropped_on_the_way_to_kafka_4(target: str, running: dict[str, str], drops: bool) -> None:
    assert drops_requests(change(target, running)) is drops
    told = [note for note in notes(change(target, running)) if "listens" in note]
    sentence = (
        "release: since 4.0 some requests of clients older than 2.1 are not served; the run listens for them for"
        " kafka_old_clients_listen_s before it changes anything (not with --check)"
    )
    assert told == ([sentence] if drops else [])


def test_a_change_that_was_interrupted_is_told_as_one_that_goes_on() -> None:
    assert list(notes(change("4.4.0", HALF_WAY)))[:2] == [
        "release: from 4.3.1 on kafka2 and kafka3 to 4.4.0",
        "release: kafka1 has 4.4.0 already: this goes on with a change that had begun",
    ]


def test_another_patch_of_a_release_says_nothing_of_features() -> None:
    assert list(notes(change("4.3.1", {"kafka1": "4.3.0"}))) == ["release: from 4.3.0 on kafka1 to 4.3.1"]


def test_going_back_promises_nothing() -> None:
    assert list(notes(change("4.3.1", {"kafka1": "4.4.0"}))) == ["release: from 4.4.0 on kafka1 to 4.3.1"]


def test_several_former_releases_are_told_from_the_oldest_on_and_the_way_back_leads_to_the_newest() -> None:
    told = list(notes(change("4.4.0", {"a": "4.3.1", "b": "4.2.1", "c": "4.10.0"})))
    assert told[0] == "release: from 4.2.1 on b; 4.3.1 on a; 4.10.0 on c to 4.4.0"
    assert "so kafka_version 4.10.0 leads back" in told[-1]


def test_properties_that_have_no_effect_any_more_are_named_from_the_release_on_that_removed_them() -> None:
    properties = ["num.io.threads", "log.message.format.version"]
    told = "release: log.message.format.version has no effect since 4.0; take it out of kafka_config"
    assert told in list(notes(change("4.0.1", ALL_39, properties=properties)))
    assert told not in list(notes(change("3.9.3", ALL_39, properties=properties)))


def test_of_a_release_that_is_not_known_that_is_said() -> None:
    told = "release: 4.9.0 is newer than this collection knows, so that nothing else is said about it"
    assert told in list(notes(change("4.9.0", ALL_43)))
    assert told not in list(notes(change("4.4.0", ALL_43)))


def test_nobody_changes_to_a_release_that_is_known_to_be_bad() -> None:
    (told,) = problems(change("4.2.0", {"kafka1": "4.1.1"}))
    assert told.startswith("kafka_version: 4.2.0 is no release to change to: ")
    assert "take 4.2.1" in told
    assert list(problems(change("4.2.1", {"kafka1": "4.1.1"}))) == []


@pytest.mark.parametrize(
    ("found", "names"),
    [
        (
            {"topics": {"small": {"segment.bytes": "1048575"}}},
            "segment.bytes of small is below 1048576 (1 MiB), with which brokers since 4.0 do not",
        ),
        ({"topics": {"old": {"message.format.version": "2.8"}}}, "message.format.version is set for old"),
        ({"segment_bytes": 1_048_575}, "kafka_config: log.segment.bytes is 1048575"),
    ],
)
def test_settings_with_which_the_new_brokers_do_not_start_are_refused(found: dict[str, Any], names: str) -> None:
    (told,) = problems(change("4.0.1", ALL_39, **found))
    assert names in told
    assert list(problems(change("3.9.3", ALL_39, **found))) == []
    assert list(problems(change("4.4.0", ALL_43, **found))) == []
    assert list(problems(change("4.4.0", {"kafka1": "4.0.1"}, **found))) == []


def test_settings_that_are_just_large_enough_are_taken() -> None:
    enough = {"topics": {"a": {"segment.bytes": "1048576"}, "b": {"segment.bytes": "-"}}, "segment_bytes": 1_048_576}
    assert list(problems(change("4.0.1", ALL_39, **enough))) == []


@pytest.mark.parametrize(
    ("target", "running", "formats", "source"),
    [
        ("4.4.0", HALF_WAY, "4.3.1", "kafka2"),
        ("4.4.0", {"kafka1": "4.10.0", "kafka2": "4.4.0"}, "4.4.0", ""),
        ("4.3.1", {"kafka1": "4.4.0", "kafka2": "4.3.1"}, "4.3.1", ""),
        ("4.3.1", {"kafka1": "4.4.0"}, "4.3.1", ""),
        ("4.3.1", {"kafka1": ""}, "4.3.1", ""),
        ("4.3.1", {}, "4.3.1", ""),
        ("", {}, "", ""),
    ],
)
def test_blank_directories_are_formatted_by_the_oldest_release(
    target: str, running: dict[str, str], formats: str, source: str
) -> None:
    asked = change(target, running)
    assert (format_release(asked), format_source(asked)) == (formats, source)


def test_by_which_release_a_host_is_formatted_is_told_where_it_is_not_the_declared_one() -> None:
    told = (
        "release: blank directories of kafka4 are formatted by 4.3.1, the oldest release that runs, so that one can go"
        " back to it; a host that lacks it gets it from kafka2"
    )
    assert told in list(notes(change("4.4.0", HALF_WAY, blank=["kafka4"])))
    assert list(problems(change("4.4.0", HALF_WAY, blank=["kafka4"]))) == []
    for other in (change("4.4.0", HALF_WAY), change("4.3.1", {"kafka1": "4.4.0"}, blank=["kafka4"])):
        assert not [note for note in notes(other) if "formatted" in note]
