"""The whole life of one cluster, under one load with transactions and one without.

ZooKeeper gives way to KRaft, by a way that was gone back once; releases come and go, features are finalized; brokers
join, lose a host and a directory, and leave; at last the cluster is secured. Ansible is killed in the midst of seven
steps; the next run finishes each.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from live import BOOTSTRAP, BROKERS, KILL_FOR_GOOD, LAB, MOUNT, ROOT, host, listening, make_bare
from locust_run import Run as Load
from old_client import old_client
from story import TRANSACTIONS, Story, metadata_version_at_first, nothing_went_wrong, under_load
from story_run import load

from ansible_collections.crucible.kafka.plugins.module_utils.releases import RELEASES, line

SITE, MIGRATE, UPGRADE, FINALIZE, REBALANCE, REMOVE, ROLL, CLIENT = (
    f"playbooks/{name}.yml"
    for name in (
        "site",
        "migrate_to_kraft",
        "upgrade",
        "finalize_features",
        "rebalance",
        "remove_broker",
        "rolling_restart",
        "client_properties",
    )
)
OLDEST, FORMER, NEWER, LAST = "3.9.2", "4.2.1", "4.3.1", "4.4.0"
CONTROLLERS = ("controller1", "controller2", "controller3")
# The inventories beside the lab's own.
DEDICATED, KAFKA4, KAFKA5 = ROOT / "inventory/dedicated", *(ROOT / f"molecule/lifecycle/kafka{n}" for n in (4, 5))
REMAINING = {**BROKERS, "kafka4": f"10.97.{LAB}.14"}
SECURE = [f"{address}:9192" for address in REMAINING.values()]
PHASES = ("listeners", "members", "authorizer", "acls", "closed")
GROWN, SHRUNK = (DEDICATED, KAFKA4, KAFKA5), (DEDICATED, KAFKA4)
MORE = f"{MOUNT}/more"
TWO_DIRECTORIES = {"kafka_data_dirs": [{"path": f"{MOUNT}/data", "mount": MOUNT}, {"path": MORE, "mount": MOUNT}]}
WITH_AN_OLD_CLIENT = f"{FORMER} with an old client"
# Batches of few partitions, in the midst of which a run can be killed.
SLOWLY = {"rebalance_batch_partitions": 3}
CONFIRMED = {"finalize_confirm": "yes"}
# The epoch of a controller's quorum, as it has written it down.
QUORUM_EPOCH = f"""sed 's/.*"leaderEpoch":\\([0-9]*\\).*/\\1/' {MOUNT}/data/__cluster_metadata-0/quorum-state"""


def elections() -> None:
    """Let a controller that is alone ask for votes until its quorum's epoch is above what ZooKeeper has counted.

    The brokers do not know the controllers yet.
    """
    first, *others = (host(name) for name in CONTROLLERS)
    for other in others:
        other.check_output("systemctl stop kafka")
    while int(first.check_output(QUORUM_EPOCH)) < 20:
        first.check_output("systemctl is-active kafka")
        time.sleep(0.5)
    for other in others:
        other.check_output("systemctl start kafka")


def from_zookeeper_to_kraft(story: Story) -> None:
    """Go half the way and back, and then all of it."""

    def phase(name: str) -> dict[str, Any]:
        zookeeper = {"kafka_mode": "zookeeper", "kafka_version": OLDEST}
        return {"inventory": DEDICATED, "kafka_migration_phase": name, **zookeeper}

    story.has_to("controllers", MIGRATE, **phase("controllers"))
    elections()
    story.kill("dual_write, killed", ("Restart the process", 1), MIGRATE, **phase("dual_write"))
    story.has_to("dual_write", MIGRATE, **phase("dual_write"))
    story.has_to("back to zookeeper", MIGRATE, **phase("zookeeper"))
    story.has_to("a roll in ZooKeeper mode", ROLL, **phase("zookeeper"))
    story.has_to("controllers again", MIGRATE, **phase("controllers"))
    story.has_to("dual_write again", MIGRATE, **phase("dual_write"))
    story.kill("kraft_brokers, killed", ("Restart the process", 1), MIGRATE, **phase("kraft_brokers"))
    story.has_to("kraft_brokers", MIGRATE, **phase("kraft_brokers"))
    story.has_to("finished", MIGRATE, kafka_migration_finish="yes", **phase("finished"))
    story.look("finished")


def through_the_releases(story: Story) -> None:
    """Change the release, go back where one can, and finalize."""

    def release(version: str) -> dict[str, Any]:
        return {"inventory": DEDICATED, "kafka_version": version}

    with old_client(BOOTSTRAP[0], "billing", "orders"):
        story.do(WITH_AN_OLD_CLIENT, UPGRADE, **release(FORMER))
    story.kill(f"{FORMER}, killed", ("Wait until it is safe to stop", 5), UPGRADE, **release(FORMER))
    for name, version in ((FORMER, FORMER), (NEWER, NEWER), (f"back to {FORMER}", FORMER), (f"{NEWER} again", NEWER)):
        story.has_to(name, UPGRADE, **release(version))
        story.look(name)
    story.has_to(f"{NEWER} finalized", FINALIZE, **release(NEWER), **CONFIRMED)
    story.look(f"{NEWER} finalized")
    story.kill(f"{LAST}, killed", ("Wait until it is safe to stop", 5), UPGRADE, **release(LAST))
    make_bare("kafka3")
    story.has_to(LAST, UPGRADE, **release(LAST))
    story.formatted[LAST] = metadata_version_at_first("kafka3")
    story.has_to(f"{LAST} finalized", FINALIZE, **release(LAST), **CONFIRMED)
    story.look(f"{LAST} finalized")


def members_come_and_go(story: Story) -> None:
    """Add two brokers and a directory, lose a host and a directory, and take a broker out."""
    here = {"kafka_version": LAST, **TWO_DIRECTORIES}
    story.has_to("a second directory", SITE, inventory=DEDICATED, **here)
    story.has_to("two brokers more", SITE, inventory=GROWN, **here)
    story.look("two brokers more")
    story.kill("rebalanced, killed", ("Move replicas", 2), REBALANCE, inventory=GROWN, **here, **SLOWLY)
    story.has_to("rebalanced", REBALANCE, inventory=GROWN, **here)
    story.look("rebalanced")

    make_bare("kafka2")
    story.has_to("a host replaced", SITE, inventory=GROWN, **here)
    host("kafka4").check_output(f"{KILL_FOR_GOOD}; rm --recursive {MORE}")
    story.has_to("a directory replaced", SITE, inventory=GROWN, **here)
    story.look("replaced")

    story.kill("removed, killed", ("Move replicas", 2), REMOVE, inventory=GROWN, broker="kafka5", **here, **SLOWLY)
    story.has_to("a broker removed", REMOVE, inventory=GROWN, broker="kafka5", **here)
    story.look("removed")
    story.has_to("out of the inventory", SITE, inventory=SHRUNK, **here)


def secured(phase: str) -> dict[str, Any]:
    """What is declared in a phase of the way from plaintext to passwords and ACLs; groups have names of their own."""
    group = {"principal": "User:shop", "resource_type": "group", "name": "secured-", "pattern_type": "prefixed"}
    return {
        "inventory": SHRUNK,
        "kafka_version": LAST,
        "kafka_security": "scram",
        "kafka_security_phase": phase,
        "kafka_acls": "{{ lab_shop_acls + further_acls }}",
        "further_acls": [group | {"operations": ["read", "describe"]}],
        **TWO_DIRECTORIES,
    }


def to_passwords_and_acls(story: Story, folder: Path) -> None:
    """Secure the cluster in phases; the clients move before the last one. Then restart every node once more."""
    story.kill("listeners, killed", ("Wait until it is safe to stop", 3), SITE, **secured("listeners"))
    for phase in PHASES[:-1]:
        story.has_to(phase, SITE, **secured(phase))
    file = folder / "shop.properties"
    story.has_to("a client's file", CLIENT, **secured("acls"), client_user="shop", client_file=str(file))

    def moved(name: str, *options: str) -> Load:
        return load(folder / name, SECURE, *options, f"--client-config={file}", f"--group-prefix={name}-")

    story.replace_loads({"secured": moved("secured"), "secured, transactional": moved("secured-tx", *TRANSACTIONS)})
    story.has_to("closed", SITE, **secured("closed"))
    story.has_to("a last roll", ROLL, **secured("closed"))
    story.do("afterwards", SITE, **secured("closed"))


@pytest.fixture(scope="module")
def story(tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest) -> Story:
    """The whole way, once."""
    folder = tmp_path_factory.mktemp("loads")
    with under_load(folder, (*BROKERS, *CONTROLLERS), request.config, "--rate=60") as found:
        from_zookeeper_to_kraft(found)
        through_the_releases(found)
        members_come_and_go(found)
        to_passwords_and_acls(found, folder)
    return found


@pytest.mark.parametrize(
    "step", ["controllers", "dual_write", "controllers again", "dual_write again", "kraft_brokers"]
)
def test_each_phase_of_the_migration_is_proven_and_what_the_cluster_holds_is_compared(story: Story, step: str) -> None:
    phase = step.removesuffix(" again")
    told = story.steps[step].run.sentences
    assert f"The phase {phase} is reached. The cluster holds what it held, " in told


def test_the_way_to_kraft_is_gone_back_and_then_to_its_end(story: Story) -> None:
    assert "The phase zookeeper is reached." in story.steps["back to zookeeper"].run.sentences
    assert "The phase finished is reached." in story.steps["finished"].run.sentences
    assert set(story.releases["finished"].values()) == {OLDEST}
    for name in BROKERS:
        assert host(name).check_output("systemctl is-active zookeeper || true") == "inactive"
        assert "zookeeper" not in host(name).file("/run/kafka/server.properties").content_string


def test_after_the_way_back_each_broker_hands_its_partitions_over(story: Story) -> None:
    back, roll = (story.steps[name] for name in ("back to zookeeper", "a roll in ZooKeeper mode"))
    since = f"--since=@{back.began_s:.0f} --until=@{roll.ended_s:.0f}"
    for name in BROKERS:
        told = host(name).check_output(f"journalctl --unit=kafka --output=cat {since}")
        assert "shut down completed" in told
        assert "unclean shutdown" not in told and "Aborted leader election" not in told


def test_every_node_runs_the_release_that_was_asked_for(story: Story) -> None:
    asked = {
        FORMER: FORMER,
        NEWER: NEWER,
        f"back to {FORMER}": FORMER,
        f"{NEWER} again": NEWER,
        f"{LAST} finalized": LAST,
    }
    assert {name: set(story.releases[name].values()) for name in asked} == {
        name: {version} for name, version in asked.items()
    }
    assert "this goes on with a change that had begun" in story.steps[FORMER].run.sentences


def test_a_host_that_was_lost_in_the_middle_is_formatted_by_the_former_release(story: Story) -> None:
    told = story.steps[LAST].run.sentences
    assert f"blank directories of kafka3 are formatted by {NEWER}, the oldest release that runs" in told
    assert "gets it from kafka" in told
    assert re.search(r"TASK \[crucible.kafka.kafka : Unpack the archive\] \*+ changed: \[kafka3\]", told)
    assert story.formatted[LAST] == RELEASES[line(NEWER) or (0, 0)].features["metadata.version"]


def test_no_client_is_left_behind_unasked(story: Story) -> None:
    run = story.steps[WITH_AN_OLD_CLIENT].run
    assert (run.ok, run.changed) == (False, 0)
    told = f"kafka_version: {FORMER} does not serve client billing (User:ANONYMOUS) at "
    assert f"Nothing was changed. {told}" in run.sentences
    # The clients of the load are none of it.
    assert run.sentences.count("does not serve client") == run.sentences.count("does not serve client billing")


def test_nothing_is_raised_until_it_is_finalized(story: Story) -> None:
    at_first = story.features["finished"]["metadata.version"]
    for name in (FORMER, NEWER, f"back to {FORMER}", f"{NEWER} again"):
        assert story.features[name]["metadata.version"] == at_first


@pytest.mark.parametrize("release", [NEWER, LAST])
def test_finalized_features_are_as_high_as_the_release_supports(story: Story, release: str) -> None:
    highest = RELEASES[line(release) or (0, 0)].features
    assert story.features[f"{release} finalized"] == highest


def test_new_brokers_get_their_share(story: Story) -> None:
    assert story.registered["two brokers more"] == [1, 2, 3, 4, 5]
    assert not {4, 5} & set(story.replicas["two brokers more"])
    share = story.replicas["rebalanced"]
    assert max(share.values()) - min(share[node] for node in (1, 2, 3, 4, 5)) <= 1
    assert story.steps["rebalanced"].moved


def test_a_blank_host_and_a_blank_directory_are_filled_again(story: Story) -> None:
    told = story.steps["a directory replaced"].run.sentences
    assert f"kafka4: start, because it does not run and {MORE} is blank; format {MORE}" in told
    for name in ("a host replaced", "a directory replaced"):
        assert "; 0 under-replicated" in story.steps[name].run.sentences
    assert story.replicas["replaced"] == story.replicas["rebalanced"]


def test_a_removed_broker_holds_nothing_and_is_not_known_any_more(story: Story) -> None:
    assert story.registered["removed"] == [1, 2, 3, 4]
    assert sorted(story.replicas["removed"]) == [1, 2, 3, 4]
    assert sum(story.replicas["removed"].values()) == sum(story.replicas["rebalanced"].values())


def test_a_closed_cluster_listens_on_its_secured_ports_only(story: Story) -> None:
    assert story.steps["closed"].run.ok
    open_ports = {name: listening(host(name)) for name in (*REMAINING, *CONTROLLERS)}
    assert open_ports == {name: {22, 9094, 9192} for name in REMAINING} | {name: {22, 9193} for name in CONTROLLERS}


def test_afterwards_all_is_well_and_nothing_is_left_to_do(story: Story) -> None:
    run = story.steps["afterwards"].run
    assert (run.ok, run.changed) == (True, 0), run.why
    assert "All is well." in run.sentences


@pytest.mark.parametrize("which", ["steady", "transactional", "secured", "secured, transactional"])
def test_nothing_acknowledged_is_lost_or_overtaken_or_doubled(
    story: Story, which: str, record_testsuite_property: Callable[[str, object], None]
) -> None:
    verdict = story.loads[which].verdict
    record_testsuite_property(f"longest_gap_s of {which}", verdict["availability"]["longest_gap_s"])
    nothing_went_wrong(verdict)
