"""A ZooKeeper server is stopped only while the others keep the majority."""

import pytest

from ansible_collections.crucible.kafka.plugins.module_utils.ensemble import may_remove, may_stop, recovered

ENSEMBLE = {"a:2181": "follower", "b:2181": "leader", "c:2181": "follower"}


def test_one_of_three_may_be_stopped() -> None:
    assert not may_stop(ENSEMBLE, "a:2181")


@pytest.mark.parametrize("silence", ["", "observer"])
def test_the_second_of_three_may_not(silence: str) -> None:
    (reason,) = may_stop({**ENSEMBLE, "c:2181": silence}, "a:2181")
    assert "only 1 of 3 servers would serve, not 2 (missing: c:2181)" in reason


def test_servers_may_be_removed_while_the_others_have_the_majority_of_all() -> None:
    assert not may_remove(ENSEMBLE, ["a:2181"])
    assert may_remove(ENSEMBLE, ["a:2181", "c:2181"]) == [
        "without a:2181 and c:2181 only 1 of 3 servers would serve, not 2"
    ]
    assert may_remove({**ENSEMBLE, "c:2181": ""}, ["a:2181"])
    assert not may_remove({**ENSEMBLE, "a:2181": ""}, ["a:2181"])


def test_the_only_server_may_be_restarted_and_not_removed() -> None:
    assert not may_stop({"a:2181": "standalone"}, "a:2181")
    assert may_remove({"a:2181": "standalone"}, ["a:2181"])


def test_three_of_five_must_go_on() -> None:
    five = {f"{name}:2181": "follower" for name in "abcde"}
    assert not may_stop({**five, "e:2181": ""}, "a:2181")
    (reason,) = may_stop({**five, "d:2181": "", "e:2181": ""}, "a:2181")
    assert reason == "without a:2181 only 2 of 5 servers would serve, not 3 (missing: d:2181, e:2181)"
    assert not may_remove(five, ["a:2181", "b:2181"])
    assert may_remove(five, ["a:2181", "b:2181", "c:2181"])


def test_none_of_two_may_be_stopped_although_both_serve() -> None:
    (reason,) = may_stop({"a:2181": "leader", "b:2181": "follower"}, "b:2181")
    assert reason == "without b:2181 only 1 of 2 servers would serve, not 2 (missing: none)"


def test_what_does_not_serve_and_what_is_alone_may_always_be_stopped() -> None:
    assert not may_stop({**ENSEMBLE, "a:2181": "", "c:2181": ""}, "a:2181")
    assert not may_stop({"a:2181": "standalone"}, "a:2181")


def test_a_server_is_back_once_it_serves() -> None:
    assert not recovered(ENSEMBLE, "a:2181")
    assert recovered({**ENSEMBLE, "a:2181": ""}, "a:2181") == ["a:2181 does not serve"]
