"""One cluster, one load, one story: a newer release and back, a broker more and one less, and what cannot be undone.

The load produces with transactions and without. Ansible is killed in the midst of steps, and the next run finishes.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from confluent_kafka.admin import AdminClient, AlterConfigOpType, ConfigEntry, ConfigResource, ResourceType
from live import BOOTSTRAP, BROKERS, ROOT, host, make_bare, starts
from story import Story, metadata_version_at_first, nothing_went_wrong, under_load

from ansible_collections.crucible.kafka.plugins.module_utils.releases import RELEASES, line

FORMER, NEWER = "4.3.1", "4.4.0"
UPGRADE, FINALIZE, HEALTH, REBALANCE, REMOVE = (
    f"playbooks/{name}.yml" for name in ("upgrade", "finalize_features", "check_health", "rebalance", "remove_broker")
)
GROWN = ROOT / "molecule/lifecycle_short/grown"
NEWCOMER = 4  # A broker and a controller.
# Batches of few partitions, in the midst of which a run can be killed.
SLOWLY = {"rebalance_batch_partitions": 3}
IN_NO_TIME = {"rebalance_throttle_bytes_per_second": 1000, "rebalance_batch_timeout_s": 1}
CONFIRMED = {"finalize_confirm": "yes"}
# A controller with the newcomer's id that joins as an observer, which is enough for Kafka to count it anew, and goes.
JOIN_ONCE = f"""
set -eu
there=$(mktemp -d)
trap 'rm -rf "$there"' EXIT
cat > "$there/server.properties" <<PROPERTIES
node.id={NEWCOMER}
process.roles=controller
controller.listener.names=CONTROLLER
listeners=CONTROLLER://127.0.0.1:9399
controller.quorum.bootstrap.servers=$1:9093
log.dirs=$there/data
PROPERTIES
classes="/opt/kafka-$0/libs/*"
java -cp "$classes" kafka.tools.StorageTool format --config "$there/server.properties" \\
    --cluster-id "$(cat /etc/kafka/cluster_id)" --no-initial-controllers > "$there/format"
java -Dlog4j2.configurationFile=/etc/kafka/log4j2.properties -cp "$classes" kafka.Kafka "$there/server.properties" \\
    > "$there/log" 2>&1 &
until grep --quiet 'RegistrationResponseHandler: controller acknowledged' "$there/log"; do
    kill -0 $!
    sleep 0.2
done
kill $!
wait $! || true
"""


def join_once(release: str) -> None:
    """Let a controller of that release join and go, as docs/operations.md says where Kafka counts a removed one."""
    host("kafka1").check_output("timeout 120 bash -c %s %s %s", JOIN_ONCE, release, BROKERS["kafka1"])


def leave_throttle() -> None:
    """Leave what a run may leave that is killed while it moves replicas: the rate of a broker."""
    rate = ConfigEntry("leader.replication.throttled.rate", "50000000", incremental_operation=AlterConfigOpType.SET)
    broker = ConfigResource(ResourceType.BROKER, "1", incremental_configs=[rate])
    admin = AdminClient({"bootstrap.servers": ",".join(BOOTSTRAP)})
    admin.incremental_alter_configs([broker])[broker].result(60)


@pytest.fixture(scope="module")
def story(tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest) -> Story:
    """The whole way, once."""
    grown: dict[str, Any] = {"inventory": GROWN, "kafka_version": FORMER}
    with under_load(tmp_path_factory.mktemp("loads"), tuple(BROKERS), request.config) as found:
        found.look("at first")
        found.kill("upgraded, killed", ("Wait until it is safe to stop", 2), UPGRADE, kafka_version=NEWER)
        found.look("killed")
        before = starts()
        found.do("finalized too early", FINALIZE, kafka_version=NEWER, **CONFIRMED)
        found.do("health half-way", HEALTH, kafka_version=NEWER)
        found.untouched = starts() == before
        lost = next(name for name, release in found.releases["killed"].items() if release == FORMER)
        make_bare(lost)
        found.do("rehearsed", UPGRADE, "--check", kafka_version=NEWER)
        found.has_to("upgraded", UPGRADE, kafka_version=NEWER)
        found.formatted["upgraded"] = metadata_version_at_first(lost)
        found.look("upgraded")
        found.has_to("back", UPGRADE, kafka_version=FORMER)
        found.look("back")
        found.has_to("grown", "playbooks/site.yml", **grown)
        found.look("grown")
        found.kill("rebalanced, killed", ("Move replicas", 2), REBALANCE, **grown, **SLOWLY)
        leave_throttle()
        found.do("health with a throttle", HEALTH, **grown)
        found.has_to("rebalanced", REBALANCE, **grown)
        found.look("rebalanced")
        found.do("removed in no time", REMOVE, broker="kafka4", **grown, **IN_NO_TIME)
        found.kill("removed, killed", ("Move replicas", 2), REMOVE, broker="kafka4", **grown, **SLOWLY)
        found.has_to("removed", REMOVE, broker="kafka4", **grown)
        found.look("removed")
        found.has_to("upgraded again", UPGRADE, kafka_version=NEWER)
        found.do("with a ghost", FINALIZE, kafka_version=NEWER, **CONFIRMED)
        found.look("with a ghost")
        join_once(NEWER)
        found.do("not confirmed", FINALIZE, kafka_version=NEWER)
        found.look("not confirmed")
        found.do("finalized", FINALIZE, kafka_version=NEWER, **CONFIRMED)
        found.look("finalized")
        found.do("back too late", UPGRADE, kafka_version=FORMER)
        found.do("afterwards", UPGRADE, kafka_version=NEWER)
    return found


def test_a_change_that_was_killed_half_way_is_told_and_finished_by_the_next_run(story: Story) -> None:
    assert sorted(story.releases["killed"].values()) == [FORMER, FORMER, NEWER]
    told = story.steps["upgraded"].run.sentences
    assert f"release: from {FORMER} on " in told
    assert f"has {NEWER} already: this goes on with a change that had begun" in told
    assert set(story.releases["upgraded"].values()) == {NEWER}


def test_health_tells_that_releases_differ_and_that_the_cluster_is_well(story: Story) -> None:
    told = story.steps["health half-way"].run
    assert f"Releases differ: {FORMER} on " in told.sentences
    assert "All is well." in told.sentences


def test_nothing_is_finalized_before_all_nodes_run_the_release(story: Story) -> None:
    refused = story.steps["finalized too early"].run
    assert "Nodes run different releases: " in refused.sentences
    assert (refused.ok, refused.changed, story.untouched) == (False, 0, True)


def test_a_host_that_is_lost_half_way_is_formatted_by_the_former_release(story: Story) -> None:
    for name in ("rehearsed", "upgraded"):
        assert f"are formatted by {FORMER}, the oldest release that runs" in story.steps[name].run.sentences
    # The rehearsal comes to its end, where it finds that the cluster lacks a broker.
    rehearsed = story.steps["rehearsed"].run
    assert "What is not well is said above." in rehearsed.sentences, rehearsed.why
    assert story.formatted["upgraded"] == RELEASES[line(FORMER) or (0, 0)].features["metadata.version"]


def test_the_release_before_comes_back_as_long_as_nothing_is_finalized(story: Story) -> None:
    assert f"kafka_version {FORMER} leads back" in story.steps["upgraded"].run.sentences
    assert set(story.releases["back"].values()) == {FORMER}
    assert story.features["back"] == story.features["at first"]


def test_a_node_that_joins_votes_and_holds_nothing_until_replicas_are_rebalanced(story: Story) -> None:
    assert story.registered["grown"] == story.voters["grown"] == [1, 2, 3, NEWCOMER]
    assert NEWCOMER not in story.replicas["grown"]
    share = story.replicas["rebalanced"]
    assert max(share.values()) - min(share[node] for node in (1, 2, 3, NEWCOMER)) <= 1


def test_a_throttle_that_was_left_behind_is_found_and_removed_by_the_next_run(story: Story) -> None:
    told = story.steps["health with a throttle"].run
    assert "A replication throttle is left on broker 1 while no partition is reassigned" in told.sentences
    assert (told.ok, story.steps["afterwards"].run.ok) == (False, True)


def test_a_removal_that_cannot_be_done_is_refused_before_anything_is_touched(story: Story) -> None:
    refused = story.steps["removed in no time"].run
    assert "rebalance_batch_timeout_s" in refused.sentences, refused.why
    assert (refused.ok, refused.changed) == (False, 0)


def test_a_removed_node_holds_nothing_and_neither_votes_nor_is_known_any_more(story: Story) -> None:
    assert story.registered["removed"] == story.voters["removed"] == [1, 2, 3]
    assert sorted(story.replicas["removed"]) == [1, 2, 3]
    assert sum(story.replicas["removed"].values()) == sum(story.replicas["grown"].values())
    assert host("kafka4").check_output("systemctl is-active kafka || true") == "inactive"


def test_a_controller_that_was_removed_with_the_old_release_is_named_and_nothing_is_raised(story: Story) -> None:
    told = story.steps["removed"].run
    assert f"Kafka goes on counting controller {NEWCOMER} with what Kafka {FORMER} supports" in told.sentences
    refused = story.steps["with a ghost"].run
    assert f"Controller {NEWCOMER} was removed from the quorum while it ran an older release" in refused.sentences
    assert not refused.ok
    assert story.features["with a ghost"] == story.features["at first"]


def test_the_point_of_no_return_is_told_and_has_to_be_confirmed(story: Story) -> None:
    told = story.steps["not confirmed"].run
    assert "There is no way back from metadata.version 33" in told.sentences
    assert "confirm it with -e finalize_confirm=yes" in told.sentences
    assert (told.ok, story.features["not confirmed"]) == (False, story.features["at first"])


def test_finalized_features_are_as_high_as_the_release_supports_and_bar_the_way_back(story: Story) -> None:
    assert story.features["finalized"] == RELEASES[line(NEWER) or (0, 0)].features
    refused = story.steps["back too late"].run
    assert f"{FORMER} is older than the cluster's metadata.version 33" in refused.sentences
    assert (refused.ok, refused.changed) == (False, 0)


@pytest.mark.parametrize(("name", "release"), [("at first", FORMER), ("upgraded", NEWER), ("back", FORMER)])
def test_what_the_collection_knows_of_a_release_is_what_its_brokers_support(
    story: Story, name: str, release: str
) -> None:
    assert story.supported[name] == RELEASES[line(release) or (0, 0)].features


def test_afterwards_all_is_well_and_nothing_is_left_to_do(story: Story) -> None:
    run = story.steps["afterwards"].run
    assert (run.ok, run.changed) == (True, 0), run.why
    assert "All is well." in run.sentences


@pytest.mark.parametrize("which", ["steady", "transactional"])
def test_nothing_acknowledged_is_lost_or_overtaken_or_doubled(
    story: Story, which: str, record_testsuite_property: Callable[[str, object], None]
) -> None:
    verdict = story.loads[which].verdict
    record_testsuite_property(f"longest_gap_s of {which}", verdict["availability"]["longest_gap_s"])
    nothing_went_wrong(verdict)
