"""What each host needs follows from what is found and declared; data is never formatted by mistake."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from kafka_hosts import BOTH, CLUSTER, DIGESTS, OTHER, PROPERTIES, RUNNING, VOTERS, bare, cluster, data_dir, down, host

from ansible_collections.crucible.kafka.plugins.module_utils.cluster import (
    ClusterState,
    Partition,
)
from ansible_collections.crucible.kafka.plugins.module_utils.host_plan import Declared, Found, Plan, Steps, plan
from ansible_collections.crucible.kafka.plugins.module_utils.host_state import DataDir, Host, Process
from ansible_collections.crucible.kafka.plugins.module_utils.identity import Refusal, directory_id, new_id
from ansible_collections.crucible.kafka.plugins.module_utils.restart_needed import restart_reasons

ZK_PROPERTIES = {"log.dirs": "/data", "broker.id": "1", "zookeeper.connect": "zookeeper1:2181/kafka"}
FORMER = data_dir(1, meta={"version": "0", "broker.id": "1"})


def decide(*hosts: Host, serves: ClusterState | None = None, declared: str = "", **changes: Any) -> Plan:
    serving = [broker.node_id for broker in serves.brokers if not broker.fenced] if serves else []
    preview = changes.pop("preview", False)
    return plan(Found(hosts, serves, **{"serving": serving} | changes), Declared("kraft", declared, preview))


def steps_of(changed: Host, serves: ClusterState | None = None, **changes: Any) -> Steps:
    """The steps of one host among healthy ones."""
    healthy = [host(i) for i in (1, 2, 3) if i != changed.node_id]
    return decide(changed, *healthy, serves=serves or cluster(), **changes).steps[changed.name]


def refusal(*hosts: Host, **changes: Any) -> str:
    with pytest.raises(Refusal) as refused:
        decide(*hosts, **changes)
    return " ".join(map(str, refused.value.args))


def test_a_healthy_cluster_needs_nothing() -> None:
    made = decide(host(1), host(2), host(3), serves=cluster())
    assert set(made.steps.values()) == {Steps()}
    assert made.lines == ["kafka1: nothing to do", "kafka2: nothing to do", "kafka3: nothing to do"]


# The way from ZooKeeper to KRaft


def controller(node_id: int, **changes: Any) -> Host:
    """One of the controllers that come beside brokers in ZooKeeper mode."""
    return bare(node_id, name=f"controller{node_id}", roles=("controller",), mode="kraft", **changes)


def migrate(*hosts: Host, state: ClusterState | None = None) -> Plan:
    led = state or replace(cluster(), quorum=None)
    return plan(Found(hosts, led, [1, 2, 3]), Declared("zookeeper"))


def zk_broker(node_id: int, **changes: Any) -> Host:
    meta = {"version": "0", "broker.id": str(node_id), "cluster.id": CLUSTER}
    dirs = (data_dir(node_id, meta=meta),)
    return host(node_id, *dirs, **{"roles": ("broker",), "written": ZK_PROPERTIES, "recorded_id": ""} | changes)


def test_controllers_of_a_cluster_in_zookeeper_form_a_quorum_with_its_id() -> None:
    made = migrate(zk_broker(1), zk_broker(2), zk_broker(3), *map(controller, (101, 102, 103)))
    assert made.cluster_id == CLUSTER
    assert made.initial_controllers.split(",")[0] == f"101@kafka101:9093:{directory_id(CLUSTER, 101)}"
    assert len(made.initial_controllers.split(",")) == 3
    for node_id in (101, 102, 103):
        steps = made.steps[f"controller{node_id}"]
        assert (steps.action, steps.format, steps.in_turn) == ("start", "initial", False)


def test_a_controller_that_has_served_is_never_formatted_as_a_first_one_again() -> None:
    made = migrate(zk_broker(1), controller(101, bootstrapped=True))
    assert made.steps["controller101"].format == "join"


def test_brokers_keep_their_directories_when_they_leave_zookeeper() -> None:
    migrated = zk_broker(1, mode="kraft", written=PROPERTIES)
    assert migrate(migrated).steps["kafka1"].format == ""
    stopped = plan(Found([replace(migrated, process=None)], replace(cluster(), quorum=None)), Declared("zookeeper"))
    assert stopped.steps["kafka1"].format == ""
    # About to leave it: what was written last connects it to both.
    both = {**ZK_PROPERTIES, "zookeeper.metadata.migration.enable": "true"}
    made = migrate(zk_broker(1, mode="kraft", written=both, process=Process(both)))
    assert (made.steps["kafka1"].action, made.steps["kafka1"].in_turn) == ("restart", True)


def test_a_migrated_directory_is_still_its_own_brokers_alone() -> None:
    with pytest.raises(Refusal, match="belongs to node 2, but kafka_node_id is 1"):
        migrate(zk_broker(1, mode="kraft", data_dirs=zk_broker(2).data_dirs, written=PROPERTIES))


# First formation


def test_bare_hosts_become_one_cluster_with_a_new_id_unless_one_is_declared() -> None:
    made = decide(bare(1), bare(2), bare(3))
    assert len(made.cluster_id) == 22
    for steps in made.steps.values():
        assert str(steps) == "start, because the cluster is new; format /data"
        assert (steps.format, steps.in_turn, steps.starts_process) == ("initial", False, True)
    assert decide(bare(1), bare(2), bare(3), declared=CLUSTER).cluster_id == CLUSTER


def test_an_interrupted_formation_is_finished_with_the_same_controllers() -> None:
    first = decide(*(bare(i, recorded_id=CLUSTER) for i in (1, 2, 3)))
    second = decide(down(1, bootstrapped=False), bare(2, recorded_id=CLUSTER), bare(3))
    assert second.initial_controllers == first.initial_controllers
    assert [steps.format for steps in second.steps.values()] == ["", "initial", "initial"]
    assert [steps.action for steps in second.steps.values()] == ["start"] * 3


def test_only_controllers_are_named_as_the_first_ones() -> None:
    made = decide(bare(1, roles=["controller"]), bare(2, roles=["broker"]))
    assert made.initial_controllers == f"1@kafka1:9093:{directory_id(made.cluster_id, 1)}"


# While the release changes


def running(node_id: int, release: str) -> Host:
    return host(node_id, process=replace(RUNNING, release=release))


def change_release(*hosts: Host, state: ClusterState) -> Plan:
    serving = [broker.node_id for broker in state.brokers if not broker.fenced]
    return plan(Found(hosts, state, serving), Declared("kraft", release="4.4.0"))


def test_a_host_that_was_replaced_in_the_middle_of_an_upgrade_is_formatted_by_the_former_release() -> None:
    made = change_release(running(1, "4.4.0"), bare(2), running(3, "4.3.1"), state=cluster(brokers=[1, 3], away=[2]))
    assert (made.steps["kafka2"].format, made.format_release, made.format_source) == ("join", "4.3.1", "kafka3")
    assert any("kafka2 are formatted by 4.3.1" in line and line.endswith("from kafka3") for line in made.lines)


def test_the_first_controllers_are_formatted_by_the_declared_release() -> None:
    brokers = (zk_broker(node, process=replace(RUNNING, release="3.9.1")) for node in (1, 2, 3))
    led = replace(cluster(), quorum=None)
    made = plan(Found([*brokers, controller(101)], led, [1, 2, 3]), Declared("zookeeper", release="3.9.2"))
    assert made.steps["controller101"].format == "initial"
    assert not any("formatted" in line for line in made.lines)


# Start and restart, each with its reason


def test_what_does_not_run_is_started() -> None:
    steps = steps_of(down(2), cluster(away=[2]))
    assert str(steps) == "start, because it does not run"
    assert (steps.in_turn, steps.starts_process) == (False, True)


def test_a_process_of_which_nothing_is_recorded_is_restarted_for_its_files() -> None:
    assert [*restart_reasons(host(2, process=None), [])] == ["kafka.service changed", "log4j2.properties changed"]


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"digests": {**DIGESTS, "kafka.service": "z"}}, "kafka.service changed"),
        ({"digests": {**DIGESTS, "log4j2.properties": "z"}}, "log4j2.properties changed"),
        ({"properties": {**PROPERTIES, "num.io.threads": "9"}}, "num.io.threads changed"),
        ({"properties": {**PROPERTIES, "a.new.key": "9"}}, "a.new.key changed"),
        ({"properties": {"log.dirs": "/data"}}, "num.io.threads and process.roles changed"),
        ({"changed_secrets": ["ssl.key.password"]}, "the secret ssl.key.password changed"),
    ],
)
def test_a_running_process_is_restarted_in_its_turn_for_what_changed(changes: dict[str, Any], reason: str) -> None:
    steps = steps_of(host(2, **changes))
    assert str(steps) == f"restart, because {reason}"
    assert steps.in_turn
    assert steps.starts_process


def test_every_reason_is_given() -> None:
    steps = steps_of(host(2, digests={**DIGESTS, "kafka.service": "z"}, changed_secrets=["a", "b"]))
    assert str(steps) == "restart, because kafka.service changed and the secret a and b changed"


def test_what_the_broker_takes_while_it_runs_needs_no_restart() -> None:
    changed = host(2, properties={**PROPERTIES, "num.io.threads": "9"})
    steps = steps_of(changed, restart_keys={2: []}, dynamic_keys={2: ["num.io.threads"]})
    assert steps == Steps(dynamic_keys=["num.io.threads"])
    assert str(steps) == "set num.io.threads without a restart"
    assert steps_of(changed, restart_keys={2: ["num.io.threads"]}).action == "restart"


def test_what_a_broker_takes_while_it_runs_is_set_before_its_restart_for_another_key() -> None:
    changed = host(2, properties={**PROPERTIES, "num.io.threads": "9", "process.roles": "x"})
    steps = steps_of(changed, restart_keys={2: ["process.roles"]}, dynamic_keys={2: ["num.io.threads"]})
    assert str(steps) == "restart, because process.roles changed; set num.io.threads without a restart"


def test_before_the_cluster_has_served_a_process_is_started_anew_beside_the_others() -> None:
    hosts = [host(i, bootstrapped=False, changed_secrets=["a"]) for i in (1, 2, 3)]
    for steps in decide(*hosts).steps.values():
        assert (steps.action, steps.in_turn, steps.starts_process) == ("start", False, True)


def test_a_node_that_others_have_just_started_is_waited_for() -> None:
    assert str(steps_of(host(2), cluster(away=[2]))) == "wait for it, because its broker does not serve yet"
    assert steps_of(host(2), behind=[2]).wait == "it is behind"
    assert steps_of(host(2, bootstrapped=False)).wait == "it is not known to have served"
    assert steps_of(host(2)).wait == ""


# A host that lost its disk, a new one, and one that shall vote


def test_a_host_that_lost_its_disk_rejoins_a_cluster_that_serves() -> None:
    steps = steps_of(down(2, data_dir(2, None)), cluster(away=[2]))
    assert str(steps) == "rejoin, because /data is blank; format /data"
    assert (steps.format, steps.in_turn, steps.starts_process) == ("join", True, True)
    assert (steps.remove_voter, steps.add_voter) == (VOTERS[2], True)


def test_a_replacement_that_was_interrupted_goes_on_where_it_was() -> None:
    without = cluster({i: VOTERS[i] for i in (1, 3)}, away=[2])
    evicted = steps_of(down(2, data_dir(2, None)), without)
    assert (evicted.format, evicted.remove_voter, evicted.add_voter) == ("join", "", True)
    formatted = steps_of(down(2), without)
    assert (formatted.format, formatted.remove_voter, formatted.add_voter) == ("", "", True)
    assert formatted.starts_process
    running = steps_of(host(2), cluster({i: VOTERS[i] for i in (1, 3)}))
    assert (running.action, running.add_voter, running.starts_process) == ("rejoin", True, False)


def test_a_broker_that_lost_its_disk_gets_no_vote() -> None:
    lost = down(4, data_dir(4, None), roles=["broker"])
    steps = decide(host(1), lost, serves=cluster({1: VOTERS[1]}, [1, 4], [4])).steps["kafka4"]
    assert str(steps) == "rejoin, because /data is blank; format /data"
    assert (steps.format, steps.remove_voter, steps.add_voter) == ("join", "", False)


def test_a_controller_that_lost_its_disk_is_known_by_its_vote() -> None:
    lost = down(2, data_dir(2, None), roles=["controller"])
    steps = steps_of(lost, cluster(brokers=[1, 3], away=[2]))
    assert str(steps) == "rejoin, because /data is blank; format /data"


def test_a_controller_whose_vote_is_that_of_a_lost_directory_gets_another_one() -> None:
    formatted = down(2, data_dir(2, meta={**data_dir(2).meta, "directory.id": "another"}))
    steps = steps_of(formatted, cluster(away=[2]))
    assert str(steps) == "rejoin, because it has the vote of a directory that it lost"
    assert (steps.starts_process, steps.remove_voter, steps.add_voter) == (True, VOTERS[2], True)


def test_a_new_broker_joins_and_is_told_apart_from_one_that_lost_its_disk() -> None:
    new = bare(4, roles=["broker"])
    steps = decide(host(1), host(2), host(3), new, serves=cluster()).steps["kafka4"]
    assert str(steps) == "rejoin, because /data is blank and the cluster does not know it yet; format /data"


AUTHORIZER = {**PROPERTIES, "authorizer.class.name": "StandardAuthorizer"}


@pytest.mark.parametrize("roles", [["broker"], ["broker", "controller"]])
def test_a_new_node_that_the_others_have_refused_waits_for_their_restart(roles: list[str]) -> None:
    """Its first run ended while it was waited for: the others have super.users without it until they are restarted."""
    told = "it is new, and where an authorizer runs the others let it in once they have been restarted"
    for process, action in ((None, "start"), (Process(AUTHORIZER, DIGESTS), "restart")):
        new = host(4, roles=roles, bootstrapped=False, properties=AUTHORIZER, process=process)
        others = [host(node, properties=AUTHORIZER) for node in (1, 2, 3)]
        steps = decide(new, *others, serves=cluster()).steps["kafka4"]
        assert (steps.in_turn, steps.starts_process, steps.wait, steps.format) == (True, True, "", "")
        assert steps.action == ("rejoin" if "controller" in roles else action)
        assert told in steps.reasons or (steps.action, process) == ("rejoin", None)


def test_a_new_node_is_waited_for_where_no_authorizer_runs_and_where_the_cluster_knows_it() -> None:
    new = host(4, roles=["broker"], bootstrapped=False)
    healthy = [host(1), host(2), host(3)]
    assert decide(new, *healthy, serves=cluster()).steps["kafka4"].wait == "its broker does not serve yet"
    stopped = decide(replace(new, process=None), *healthy, serves=cluster()).steps["kafka4"]
    assert (stopped.action, stopped.in_turn) == ("start", False)
    secured = replace(new, properties=AUTHORIZER, process=Process(AUTHORIZER, DIGESTS))
    known = cluster(brokers=[1, 2, 3, 4], away=[4])
    assert decide(secured, *healthy, serves=known).steps["kafka4"].wait == "its broker does not serve yet"
    has_served = replace(secured, bootstrapped=True)
    assert decide(has_served, *healthy, serves=cluster()).steps["kafka4"].wait == "its broker does not serve yet"


def test_a_new_controller_is_no_spare_for_two_where_an_authorizer_runs() -> None:
    two = cluster({i: VOTERS[i] for i in (1, 2)}, brokers=[1, 2])
    new = bare(4, properties=AUTHORIZER)
    said = refusal(host(1, properties=AUTHORIZER), host(2, properties=AUTHORIZER), new, serves=two)
    assert "systemctl stop kafka" in said
    changed = {"properties": {**PROPERTIES, "num.io.threads": "9"}}
    assert decide(host(1, **changed), host(2, **changed), bare(4), serves=two).steps["kafka4"].action == "rejoin"


def test_a_quorum_with_fixed_voters_is_left_as_it_is() -> None:
    fixed = cluster({1: "", 2: "AAAAAAAAAAAAAAAAAAAAAA", 3: ""})
    assert steps_of(host(2), fixed) == Steps()


def test_nodes_that_would_refuse_each_other_during_the_restart_are_refused() -> None:
    changed = [host(i, changed_secrets=["a.jaas"], unacceptable_logins=["a.jaas"]) for i in (1, 2, 3)]
    assert "until the last of kafka1, kafka2 and kafka3 has been restarted" in refusal(*changed, serves=cluster())
    assert decide(*changed).steps["kafka1"].action == "restart"


def test_a_change_of_logins_is_refused_with_the_three_runs_that_make_it_and_made_where_nobody_else_logs_in() -> None:
    changed = host(1, changed_secrets=["a.jaas"], unacceptable_logins=["a.jaas"])
    assert refusal(changed, host(2), host(3), serves=cluster()) == (
        "kafka_config: a.jaas changes how nodes log in to each other, and until the last of kafka1 has been restarted"
        " they would refuse each other. Add the new user (user_NAME) in a first run, change username and password to it"
        " in a second one, and remove the old user in a third."
    )
    assert "would refuse each other" in refusal(changed, host(2), serves=cluster({1: VOTERS[1]}, [1, 2]))
    assert decide(changed, serves=cluster({1: VOTERS[1]}, [1])).steps["kafka1"].action == "restart"


# Several data directories


def test_a_further_directory_is_formatted_in_the_turn_of_its_host() -> None:
    added = host(2, data_dir(2), data_dir(2, None, "/more"))
    steps = steps_of(added)
    assert str(steps) == "restart, because log.dirs changed; format /more"
    assert (steps.format, steps.in_turn, steps.remove_voter, steps.add_voter) == ("join", True, "", False)


def test_a_further_directory_that_was_replaced_under_a_running_process_is_formatted_in_its_turn() -> None:
    dirs = data_dir(2), data_dir(2, None, "/more")
    running = Process({**PROPERTIES, "log.dirs": "/data,/more"}, DIGESTS)
    steps = steps_of(host(2, *dirs, process=running))
    assert str(steps) == "restart, because /more is blank; format /more"
    stopped = steps_of(down(2, *dirs), cluster(away=[2]))
    assert str(stopped) == "start, because it does not run and /more is blank; format /more"
    assert stopped.in_turn


def test_every_directory_of_a_new_cluster_is_formatted_also_after_an_interruption() -> None:
    dirs = data_dir(1), data_dir(1, None, "/more")
    steps = decide(down(1, *dirs, bootstrapped=False)).steps["kafka1"]
    assert (steps.format, steps.format_dirs) == ("initial", ["/more"])
    several = decide(bare(1, data_dirs=(data_dir(1, None), data_dir(1, None, "/more")))).steps["kafka1"]
    assert str(several) == "start, because the cluster is new; format /data, /more"


def test_a_directory_that_is_no_longer_declared_is_left_by_a_restart_unless_it_has_the_only_replica() -> None:
    running = Process({**PROPERTIES, "log.dirs": "/data,/more"}, DIGESTS)
    removed = host(2, process=running, former_dirs=[data_dir(2, path="/more", partitions=["t-0", "t-1", "t-9"])])
    elsewhere = [Partition("t", 0, 1, (1, 2), (1, 2), 1), Partition("t", 2, 2, (2,), (2,), 1)]
    assert str(steps_of(removed, cluster(partitions=elsewhere))) == "restart, because log.dirs changed"
    only = cluster(partitions=[*elsewhere, Partition("t", 1, 2, (2,), (2,), 1)])
    assert refusal(host(1), removed, host(3), serves=only) == (
        "/more on kafka2 is no longer in kafka_data_dirs, but it has the only replica of t-1 that is in sync. Put it"
        " back, and move them first (kafka-reassign-partitions.sh)."
    )


def test_a_directory_that_is_dropped_while_its_broker_is_down_is_judged_by_what_lies_in_it() -> None:
    dropped = down(2, former_dirs=[data_dir(2, path="/more", partitions=["t-0"])])
    for partition, refused in [
        (Partition("t", 0, -1, (2,), (2,), 1), True),
        (Partition("t", 0, -1, (1, 2), (2,), 1), True),
        (Partition("t", 0, 1, (1, 2), (1,), 1), False),
        (Partition("t", 1, -1, (2,), (2,), 1), False),
    ]:
        state = cluster(away=[2], partitions=[partition])
        if refused:
            assert "the only replica of t-0 that is in sync" in refusal(host(1), dropped, host(3), serves=state)
        else:
            assert str(steps_of(dropped, state)) == "start, because it does not run"
    # A running broker leaves it in its turn, and the gate before waits until others are in sync.
    behind = cluster(partitions=[Partition("t", 0, 2, (1, 2), (2,), 1)])
    running = replace(dropped, process=Process({**PROPERTIES, "log.dirs": "/data,/more"}, DIGESTS))
    assert steps_of(running, behind).action == "restart"


def test_a_directory_with_partitions_is_not_dropped_while_nobody_can_tell_whether_others_have_them() -> None:
    dropped = down(2, former_dirs=[data_dir(2, path="/more", partitions=["t-0", "t-1"])])
    assert refusal(down(1), dropped, down(3)) == (
        "/more on kafka2 is no longer in kafka_data_dirs, but it holds t-0 and t-1, and a cluster that does not answer"
        " cannot tell whether other brokers have them. Put it back, bring the cluster up, and take it out then."
    )
    lost = down(2, former_dirs=[data_dir(2, None, "/more")])
    assert decide(down(1), lost, down(3)).steps["kafka2"].action == "start"


@pytest.mark.parametrize("written", ["/data", "/data/", "//data//", "/srv/../data/./", " /data/ "])
def test_a_directory_is_the_same_however_its_path_is_spelt(written: str) -> None:
    spelt = {"written": {**PROPERTIES, "log.dirs": f"{written},/more/"}}
    moved = down(2, data_dir(2, None, "/new"), data_dir(2), **spelt)
    said = refusal(host(1), moved, host(3), serves=cluster(away=[2]))
    assert "The metadata log of kafka2 is in /data, and /new is now the first of kafka_data_dirs" in said
    properties = {**PROPERTIES, "log.dirs": f"{written},/more/"}
    kept = host(2, data_dir(2), data_dir(2, None, "/more"), properties=properties, process=Process(properties, DIGESTS))
    assert str(steps_of(kept)) == "restart, because /more is blank; format /more"
    named = {**properties, "metadata.log.dir": written}
    assert steps_of(replace(kept, properties=named, process=Process(named, DIGESTS)), cluster()).remove_voter == ""


# A cluster that does not answer, and one that another tool runs


REFUSED = "kafka_admin_client, kafka_admin_password: brokers run, and they do not let the admin client in."
SILENT = "kafka1:9092 did not answer."


def test_a_cluster_that_does_not_answer_is_told_with_the_reason() -> None:
    note = f"the cluster was not asked, and nothing was compared with it: {SILENT}"
    for hosts in (
        [host(1), host(2), host(3)],
        [down(1), down(2), down(3)],
        [down(1, bootstrapped=False), host(2, bootstrapped=False), bare(3, recorded_id=CLUSTER)],
    ):
        made = decide(*hosts, reason=SILENT)
        assert made.unanswered
        assert made.lines[-1] == note
    for silent in ([bare(1), bare(2), bare(3)], [down(1, bootstrapped=False), bare(2), bare(3)]):
        made = decide(*silent, reason=SILENT)
        assert not made.unanswered
        assert note not in made.lines
    assert not decide(host(1), host(2), host(3), serves=cluster()).unanswered


def test_brokers_that_run_and_do_not_let_the_admin_client_in_are_refused() -> None:
    assert refusal(host(1), down(2), host(3), refusal=REFUSED, reason=SILENT) == REFUSED
    # Another tool has the port of a host on which nothing of this role runs: that is no cluster of the inventory's.
    assert decide(bare(1), bare(2), bare(3), refusal=REFUSED, reason=SILENT).steps["kafka1"].action == "start"


def test_brokers_that_another_tool_runs_are_not_started_anew_all_at_once() -> None:
    said = refusal(down(1), down(2), host(3), serves=cluster())
    assert said == (
        "kafka1 (broker 1 serves at kafka1:9092) and kafka2 (broker 2 serves at kafka2:9092): Kafka runs there, and not"
        " by the kafka.service of this role, which would start it anew on all of these hosts at once. Take over one"
        " host after the other: stop Kafka on it, disable what starts it, and run this with --limit for that host."
    )
    silent = refusal(down(1, roles=["controller"], other_service=True), down(2), reason=SILENT)
    assert silent.startswith("kafka1 (kafka.service runs): Kafka runs there")


def test_a_host_of_another_tool_is_taken_over_while_the_others_are_left_alone() -> None:
    others = [down(node, in_run=False, properties={}, digests={}, other_service=True) for node in (2, 3)]
    made = decide(down(1), *others, serves=cluster(away=[1]))
    assert str(made.steps["kafka1"]) == "start, because it does not run"


@pytest.mark.parametrize("process", [RUNNING, None])
@pytest.mark.parametrize("new", [data_dir(2, None, "/new"), data_dir(2, path="/new")], ids=["blank", "formatted"])
def test_the_metadata_log_of_a_healthy_host_is_never_moved(new: DataDir, process: Process | None) -> None:
    moved = host(2, new, data_dir(2), process=process)
    said = refusal(host(1), moved, host(3), serves=cluster(away=[] if process else [2]))
    assert "The metadata log of kafka2 is in /data, and /new is now the first of kafka_data_dirs" in said
    only_new = host(2, new, former_dirs=[data_dir(2)], process=process)
    assert "Keep /data first" in refusal(host(1), only_new, host(3), serves=cluster(away=[] if process else [2]))


def test_the_metadata_log_may_stay_where_it_is_beside_a_new_first_directory() -> None:
    kept = host(2, data_dir(2, None, "/new"), data_dir(2))
    kept = replace(kept, properties={**kept.properties, "metadata.log.dir": "/data"})
    assert str(steps_of(kept)) == "restart, because log.dirs and metadata.log.dir changed; format /new"


def test_another_first_directory_is_taken_where_the_former_one_is_lost() -> None:
    lost = down(2, data_dir(2, None, "/new"), former_dirs=[data_dir(2, None)])
    steps = steps_of(lost, cluster(away=[2]))
    assert (steps.action, steps.format, steps.remove_voter, steps.add_voter) == ("rejoin", "join", VOTERS[2], True)


def test_a_host_whose_process_serves_is_not_replaced_although_its_directory_is_blank() -> None:
    assert refusal(host(1), host(2, data_dir(2, None)), host(3), serves=cluster()) == (
        "/data on kafka2 holds no metadata, but its process runs and the cluster hears of it. Only a host that is down"
        " is replaced: look whether the disk is mounted, or stop the process (systemctl stop kafka) and run this again."
    )
    hanging = steps_of(host(2, data_dir(2, None)), cluster(away=[2]))
    assert hanging.action == "rejoin"


def test_a_controller_that_follows_is_not_replaced_although_it_is_no_broker_that_serves() -> None:
    blank = host(2, data_dir(2, None), roles=["controller"])
    assert "its process runs" in refusal(host(1), blank, host(3), serves=cluster(brokers=[1, 3]))
    assert steps_of(blank, cluster(brokers=[1, 3], away=[2])).action == "rejoin"


def test_a_controller_that_votes_and_follows_is_never_removed_from_the_quorum() -> None:
    other = host(2, data_dir(2, meta={**data_dir(2).meta, "directory.id": "another"}))
    assert refusal(host(1), other, host(3), serves=cluster()) == (
        f"Controller 2 votes and follows from directory {VOTERS[2]}, but /data on kafka2 is directory another."
        " A controller that is well is never replaced: see kafka_data_dirs."
    )


# Changes of role


def test_a_broker_becomes_a_controller_by_a_restart_and_a_vote() -> None:
    brokers_only = Process({**PROPERTIES, "process.roles": "broker"}, DIGESTS)
    steps = steps_of(host(2, process=brokers_only), cluster({i: VOTERS[i] for i in (1, 3)}))
    assert str(steps) == "rejoin, because it is to be a controller and has no vote and process.roles changed"
    assert (steps.starts_process, steps.in_turn, steps.add_voter, steps.remove_voter) == (True, True, True, "")


def test_a_controller_that_is_to_be_a_broker_only_loses_its_vote_in_its_turn() -> None:
    broker = host(2, roles=["broker"], properties={**PROPERTIES, "process.roles": "broker"})
    steps = steps_of(broker)
    assert str(steps) == "restart, because it is no longer to be a controller and process.roles changed"
    assert (steps.in_turn, steps.remove_voter, steps.add_voter) == (True, VOTERS[2], False)
    stopped = steps_of(replace(broker, process=None), cluster(away=[2]))
    assert (stopped.action, stopped.in_turn, stopped.starts_process) == ("start", True, True)
    assert (stopped.remove_voter, stopped.add_voter) == (VOTERS[2], False)
    two = cluster({i: VOTERS[i] for i in (1, 2)})
    assert decide(host(1), broker, host(3, roles=["broker"]), serves=two).steps["kafka2"].remove_voter == VOTERS[2]


def test_a_restart_of_one_of_two_voters_is_refused_unless_their_number_changes_first() -> None:
    two = cluster({i: VOTERS[i] for i in (1, 2)})
    changed = {"properties": {**PROPERTIES, "num.io.threads": "9"}, "process": Process(PROPERTIES, DIGESTS)}
    broker = Process({**PROPERTIES, "process.roles": "broker"}, DIGESTS)
    said = refusal(host(1, **changed), host(2), host(3, roles=["broker"]), serves=two)
    assert "only the controllers 1 and 2 vote" in said
    assert "so that 1 cannot be restarted" in said
    assert decide(host(1), host(2), host(3, roles=["broker"]), serves=two).steps["kafka1"] == Steps()
    becomes = decide(host(1, **changed), host(2), host(3, process=broker), serves=two)
    assert becomes.steps["kafka1"].action == "restart"
    # A run was interrupted between the restart of the third and its vote.
    has_become = decide(host(1, **changed), host(2), host(3), serves=two)
    assert (has_become.steps["kafka3"].add_voter, has_become.steps["kafka1"].action) == (True, "restart")
    # The other is to lose its vote.
    loses = decide(host(1, **changed), host(2, roles=["broker"]), host(3, roles=["broker"]), serves=two)
    assert loses.steps["kafka1"].action == "restart"


def test_a_broker_that_is_to_be_a_controller_only_is_refused() -> None:
    held = Partition("t", 0, 1, (1, 2), (1, 2), 1)
    said = refusal(host(1), host(2, roles=["controller"]), host(3), serves=cluster(partitions=[held]))
    assert "kafka2 is to be a controller only, but broker 2 is registered and holds 1 replicas" in said


def test_the_only_controller_cannot_stop_to_be_one() -> None:
    said = refusal(host(1, roles=["broker"]), host(2, roles=["broker"]), serves=cluster({1: VOTERS[1]}, [1, 2]))
    assert "kafka1 is the only controller" in said


@pytest.mark.parametrize(
    ("voters", "roles", "does"), [((1, 3), BOTH, "does not vote"), ((1, 2, 3), ["broker"], "votes")]
)
def test_fixed_voters_are_neither_added_nor_removed(voters: Sequence[int], roles: Sequence[str], does: str) -> None:
    fixed = cluster(dict.fromkeys(voters, ""))
    assert refusal(host(1), host(2, roles=roles), host(3), serves=fixed) == (
        f"kafka_process_roles: kafka2 {does} in a quorum whose voters are fixed (kraft.version 0), so it cannot change"
        " that. Undo it, or finalize kraft.version 1 first."
    )


# Membership


def test_a_node_that_is_registered_and_no_longer_declared_is_told_with_what_to_do() -> None:
    held = Partition("t", 0, 1, (1, 3), (1, 3), 1)
    said = refusal(host(1), host(2), serves=cluster(partitions=[held]))
    assert "Node 3 at kafka3 is registered as a broker, holds 1 replicas and votes as a controller" in said
    assert "run playbooks/remove_broker.yml with it if it is to leave the cluster" in said


def test_a_registered_broker_that_holds_nothing_is_told_and_does_not_stop_the_run() -> None:
    made = decide(host(1), serves=cluster({1: VOTERS[1]}, [1, 4]))
    assert made.lines[-1].startswith("Node 4 at kafka4 is registered as a broker, but no host")


def test_a_new_host_is_not_added_without_those_that_must_admit_it() -> None:
    outside = [host(i, in_run=False) for i in (1, 2, 3)]
    said = refusal(*outside, bare(4, roles=["broker"]), serves=cluster())
    assert "--limit: kafka4 is new to the cluster" in said
    assert "kafka1, kafka2 and kafka3" in said
    decide(*outside, down(4, roles=["broker"]), serves=cluster(brokers=[1, 2, 3, 4], away=[4]))


# What is refused


@pytest.mark.parametrize(
    ("hosts", "declared", "sentence"),
    [
        ((host(1), host(2, data_dir(2, OTHER)), host(3)), "", "not of one cluster"),
        ((host(1), host(2), host(3)), OTHER, "kafka_cluster_id"),
        ((bare(1, recorded_id=CLUSTER), bare(2, recorded_id=OTHER)), "", "not of one cluster"),
        ((host(1), host(2, data_dir(1))), "", "belongs to node 1, but kafka_node_id is 2"),
        ((host(1), host(2, data_dir(2, None, blank=False))), "", "holds files but no meta.properties"),
        ((host(1), host(2, data_dir(2), data_dir(2, None, "/more", blank=False))), "", "/more on kafka2"),
        ((host(1), host(2, data_dir(2, mount="/disk"))), "", "nothing is mounted at /disk"),
        ((bare(1), bare(2, data_dirs=(data_dir(2, None, mount="/disk"),))), "", "nothing is mounted at /disk"),
        ((host(1, FORMER, written=ZK_PROPERTIES, process=Process(ZK_PROPERTIES)),), "", "kafka_mode kraft"),
        ((host(1), down(2, data_dir(2, None))), "", "kafka2: no metadata, but the cluster has been there before"),
        ((host(1, recorded_id="", bootstrapped=False), bare(2)), "", "kafka2: no metadata, but the cluster has been"),
        ((bare(1), bare(2, in_run=False)), "", "kafka2 too (--limit)"),
        ((bare(1), bare(2, in_run=False, data_dirs=())), "", "kafka2 too (--limit)"),
    ],
)
def test_what_could_lose_data_or_make_a_second_cluster_is_refused(
    hosts: tuple[Host, ...], declared: str, sentence: str
) -> None:
    assert sentence in refusal(*hosts, declared=declared)


def test_blank_hosts_of_a_cluster_that_does_not_answer_are_all_named_with_what_to_do() -> None:
    blank = [down(i, data_dir(i, None)) for i in (2, 3)]
    assert refusal(host(1), *blank) == (
        "kafka2, kafka3: no metadata, but the cluster has been there before and does not answer. A host that lost its"
        " disk joins a cluster that serves: start the other hosts first (--limit)."
    )
    absent = [bare(i, in_run=False) for i in (2, 3)]
    assert refusal(bare(1), *absent) == (
        "The cluster has never formed, which takes every controller: kafka2, kafka3 too (--limit)."
    )


def test_a_preview_takes_a_bare_host_for_one_whose_disk_is_about_to_be_mounted() -> None:
    unmounted = data_dir(1, None, mount="/disk")
    decide(bare(1, data_dirs=(unmounted,)), preview=True)
    assert refusal(bare(1, data_dirs=(unmounted,), recorded_id=CLUSTER), preview=True)


def test_zookeeper_brokers_format_themselves_and_must_belong_together() -> None:
    meta = {"version": "0", "broker.id": "1", "cluster.id": OTHER}
    first, second = down(1, data_dir(1, meta=meta), recorded_id=""), bare(2)
    made = plan(Found([first, second]), Declared("zookeeper", CLUSTER))
    assert (made.cluster_id, made.initial_controllers) == (OTHER, "")
    assert [(str(steps), steps.format) for steps in made.steps.values()] == [("start, because it does not run", "")] * 2
    third = down(3, data_dir(3, meta={**meta, "broker.id": "3", "cluster.id": CLUSTER}), recorded_id="")
    with pytest.raises(Refusal):
        plan(Found([first, second, third]), Declared("zookeeper"))


def test_a_broker_in_zookeeper_mode_is_restarted_in_its_turn() -> None:
    meta = {"version": "0", "broker.id": "1", "cluster.id": OTHER}
    changed = host(1, data_dir(1, meta=meta), recorded_id="", changed_secrets=["a"])
    state = replace(cluster({}, [1]), quorum=None)
    steps = plan(Found([changed], state, serving=[1]), Declared("zookeeper")).steps["kafka1"]
    assert (str(steps), steps.in_turn) == ("restart, because the secret a changed", True)
    assert plan(Found([changed], cluster({1: "x"}, [1]), serving=[1]), Declared("zookeeper")).steps["kafka1"] == steps


@given(st.integers(0, 2**31 - 1))
def test_directory_ids_are_as_kafka_writes_them(node_id: int) -> None:
    for identifier in (directory_id(CLUSTER, node_id), new_id()):
        assert len(identifier) == 22
        assert not identifier.startswith("-")
    assert directory_id(CLUSTER, node_id) == directory_id(CLUSTER, node_id) != directory_id(OTHER, node_id)


@given(
    st.lists(st.sampled_from(["serving", "blank", "foreign"]), min_size=1, max_size=5),
    st.booleans(),
    st.booleans(),
    st.sets(st.integers(1, 5)),
)
def test_no_data_of_any_kind_is_ever_formatted(kinds: list[str], answers: bool, runs: bool, away: set[int]) -> None:
    ids = {"serving": CLUSTER, "blank": None, "foreign": OTHER}
    hosts = [host(i, data_dir(i, ids[kind]), process=RUNNING if runs else None) for i, kind in enumerate(kinds, 1)]
    all_ids = range(1, len(kinds) + 1)
    state = cluster({i: directory_id(CLUSTER, i) for i in all_ids}, list(all_ids), sorted(away))
    try:
        steps = decide(*hosts, serves=state if answers else None).steps
    except Refusal:
        return
    assert all(kinds[host.node_id - 1] == "blank" for host in hosts if steps[host.name].format)
    assert not any(steps[host.name].format == "initial" for host in hosts)
    if answers and runs:
        assert all(host.node_id in away for host in hosts if steps[host.name].remove_voter)


def test_before_disks_are_mounted_what_is_not_mounted_is_not_judged_and_the_plan_is_not_final() -> None:
    unmounted = down(2, data_dir(2, None, mount="/disk"))
    found = Found([host(1), unmounted, host(3)], cluster(away=[2]), serving=[1, 3])
    made = plan(found, Declared("kraft", before_mounts=True))
    assert not made.final
    assert decide(host(1), host(2), host(3), serves=cluster()).final
    with pytest.raises(Refusal, match="nothing is mounted at /disk"):
        plan(found, Declared("kraft"))
