"""A roll that is not refused never leaves two nodes that cannot talk; one that is refused is told how to get there."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import product

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ansible_collections.crucible.kafka.plugins.module_utils.listener_plan import (
    AdminEndpoint,
    Quorum,
    State,
    admin_endpoint,
    changes,
    refusals,
    sequence,
)
from ansible_collections.crucible.kafka.plugins.module_utils.listeners import NodeListeners, declared_node, running_node

COMBINED = {"kafka1": ("broker", "controller"), "kafka2": ("broker", "controller"), "kafka3": ("broker", "controller")}
DEDICATED = {"kafka1": ("broker",), "kafka2": ("broker",), "controller1": ("controller",)}
CLIENT, CONTROLLER = (9092, "PLAINTEXT"), (9093, "PLAINTEXT")
USUAL = State({"CLIENT": CLIENT, "CONTROLLER": CONTROLLER}, "CLIENT", ("CONTROLLER",), "CLIENT")

Nodes = dict[str, NodeListeners]


def nodes(state: State, roles: Mapping[str, Sequence[str]] = COMBINED) -> Nodes:
    entries = [
        {"name": name, "port": port, "security_protocol": protocol}
        for name, (port, protocol) in state.listeners.items()
    ]
    return {
        name: declared_node(name, own, name, entries, state.inter_broker, state.controllers)
        for name, own in roles.items()
    }


def endpoint(running: Nodes, declared: Nodes, state: State, protocol: str = "PLAINTEXT") -> AdminEndpoint:
    options = ["security_protocol", "ssl_cafile", "sasl_mechanism"] if protocol != "PLAINTEXT" else []
    return admin_endpoint(list(running.values()), declared, [state.admin, *state.listeners], protocol, options)


def refused(before: State, after: State, roles: Mapping[str, Sequence[str]] = COMBINED) -> list[str]:
    return mixed_refused(nodes(before, roles), after, roles)


def mixed_refused(running: Nodes, after: State, roles: Mapping[str, Sequence[str]] = COMBINED) -> list[str]:
    declared = nodes(after, roles)
    admin = endpoint(running, declared, after)
    return [str(refusal) for refusal in refusals(list(running.values()), declared, admin)]


def changed(state: State = USUAL, /, **fields: object) -> State:
    return State(**{**state.__dict__, **fields})


MOVED = changed(listeners={"CLIENT": (9192, "PLAINTEXT"), "CONTROLLER": CONTROLLER})
ADDED = changed(listeners={**USUAL.listeners, "INTERNAL": (9094, "SSL")})
USED = changed(ADDED, inter_broker="INTERNAL")
BESIDE = changed(listeners={**USUAL.listeners, "CONTROL": (9193, "PLAINTEXT")}, controllers=("CONTROLLER", "CONTROL"))
FIRST = changed(BESIDE, controllers=("CONTROL", "CONTROLLER"))
ALONE = changed(listeners={"CLIENT": CLIENT, "CONTROL": (9193, "PLAINTEXT")}, controllers=("CONTROL",))


@pytest.mark.parametrize("roles", [COMBINED, DEDICATED])
@pytest.mark.parametrize(
    ("before", "after"),
    [
        (USUAL, USUAL),
        (USUAL, MOVED),
        (USUAL, ADDED),
        (ADDED, USUAL),
        (ADDED, USED),
        (USED, ADDED),
        (USUAL, BESIDE),
        (BESIDE, FIRST),
        (FIRST, ALONE),
        (FIRST, BESIDE),
    ],
)
def test_one_roll_is_enough(before: State, after: State, roles: Mapping[str, Sequence[str]]) -> None:
    assert refused(before, after, roles) == []


REFUSED: list[tuple[State, list[str]]] = [
    (
        changed(listeners={"CLIENT": (9092, "SSL"), "CONTROLLER": CONTROLLER}),
        [
            "kafka_listeners: CLIENT runs as PLAINTEXT and is declared as SSL; while nodes restart one by "
            "one, whoever uses CLIENT could talk to only some of them",
        ],
    ),
    (
        changed(listeners={"CLIENT": CLIENT, "CONTROLLER": (9093, "SSL")}),
        [
            "kafka_listeners: CONTROLLER runs as PLAINTEXT and is declared as SSL; while nodes restart one "
            "by one, whoever uses CONTROLLER could talk to only some of them",
        ],
    ),
    (
        USED,
        [
            "kafka_inter_broker_listener: running brokers do not have INTERNAL yet, so that none could reach "
            "them over it",
        ],
    ),
    (
        FIRST,
        [
            "kafka_controller_listener: running controllers do not listen on CONTROL yet, so that no node "
            "could reach them over it",
        ],
    ),
    (
        ALONE,
        [
            "kafka_controller_listener: running nodes reach the controllers over CONTROLLER, which the "
            "controllers would lose one by one",
            "kafka_controller_listener: running controllers do not listen on CONTROL yet, so that no node "
            "could reach them over it",
        ],
    ),
    (
        changed(listeners={"CLIENT": CLIENT, "CONTROLLER": (9193, "PLAINTEXT")}),
        [
            "kafka_listeners: CONTROLLER, by which nodes reach the controllers, runs on port 9093 and is "
            "declared on 9193; controllers move by a second listener",
        ],
    ),
    (
        changed(listeners={"PUBLIC": CLIENT, "CONTROLLER": CONTROLLER}, inter_broker="PUBLIC", admin="PUBLIC"),
        [
            "kafka_listeners: PUBLIC is to have port 9092, on which CLIENT runs; give it a port on which no "
            "other listener runs",
            "kafka_inter_broker_listener: running brokers do not have PUBLIC yet, so that none could reach "
            "them over it",
            "kafka_listeners: running brokers talk over CLIENT, which they would lose one by one",
        ],
    ),
]


@pytest.mark.parametrize(("after", "sentences"), REFUSED)
def test_what_one_roll_cannot_do_is_refused(after: State, sentences: list[str]) -> None:
    assert refused(USUAL, after) == sentences


# The declarations that lead there.

BESIDE_TLS = {"CLIENT": CLIENT, "CONTROLLER": CONTROLLER, "CLIENT_SSL": (9192, "SSL")}
BESIDE_PORT = {"CLIENT": CLIENT, "CONTROLLER": CONTROLLER, "CONTROLLER_9193": (9193, "PLAINTEXT")}
BOTH_NAMES = {"CLIENT": CLIENT, "CONTROLLER": CONTROLLER, "PUBLIC": (9192, "PLAINTEXT")}
INTERNAL_ONLY = changed(
    USED, listeners={"INTERNAL": (9094, "SSL"), "CONTROLLER": CONTROLLER}, admin="INTERNAL", inter_broker="INTERNAL"
)


@pytest.mark.parametrize(
    ("before", "after", "steps"),
    [
        (USUAL, USUAL, []),
        (USUAL, MOVED, [MOVED]),
        (ADDED, USUAL, [USUAL]),
        (USUAL, USED, [ADDED, USED]),
        (USUAL, FIRST, [BESIDE, FIRST]),
        (USUAL, ALONE, [BESIDE, FIRST, ALONE]),
        (FIRST, USUAL, [BESIDE, USUAL]),
        (ADDED, INTERNAL_ONLY, [changed(USED, admin="INTERNAL"), INTERNAL_ONLY]),
        (
            USUAL,
            changed(listeners={"CLIENT": (9092, "SSL"), "CONTROLLER": CONTROLLER}),
            [
                changed(listeners=BESIDE_TLS),
                changed(listeners=BESIDE_TLS, inter_broker="CLIENT_SSL", admin="CLIENT_SSL"),
                changed(
                    listeners={"CLIENT_SSL": (9192, "SSL"), "CONTROLLER": CONTROLLER},
                    inter_broker="CLIENT_SSL",
                    admin="CLIENT_SSL",
                ),
            ],
        ),
        (
            USUAL,
            changed(listeners={"CLIENT": CLIENT, "CONTROLLER": (9193, "PLAINTEXT")}),
            [
                changed(listeners=BESIDE_PORT, controllers=("CONTROLLER", "CONTROLLER_9193")),
                changed(listeners=BESIDE_PORT, controllers=("CONTROLLER_9193", "CONTROLLER")),
                changed(
                    listeners={"CLIENT": CLIENT, "CONTROLLER_9193": (9193, "PLAINTEXT")},
                    controllers=("CONTROLLER_9193",),
                ),
            ],
        ),
        (
            USUAL,
            changed(listeners={"PUBLIC": CLIENT, "CONTROLLER": CONTROLLER}, inter_broker="PUBLIC", admin="PUBLIC"),
            [
                changed(listeners=BOTH_NAMES),
                changed(listeners=BOTH_NAMES, inter_broker="PUBLIC", admin="PUBLIC"),
                changed(
                    listeners={"PUBLIC": (9192, "PLAINTEXT"), "CONTROLLER": CONTROLLER},
                    inter_broker="PUBLIC",
                    admin="PUBLIC",
                ),
            ],
        ),
    ],
)
@pytest.mark.parametrize("roles", [COMBINED, DEDICATED])
def test_the_declarations_that_lead_there_are_told(
    before: State, after: State, steps: list[State], roles: Mapping[str, Sequence[str]]
) -> None:
    running, declared = nodes(before, roles), nodes(after, roles)
    asked_by = endpoint(running, declared, after, "SASL_SSL").listener
    found = sequence(list(running.values()), declared, after.admin, asked_by)
    assert found == steps


@pytest.mark.parametrize(
    ("first", "others", "steps"),
    [
        (BESIDE, USUAL, [BESIDE, FIRST, ALONE]),
        (FIRST, BESIDE, [FIRST, ALONE]),
        (ALONE, FIRST, [FIRST, ALONE]),
    ],
)
def test_after_an_interrupted_roll_the_declarations_go_on_from_the_one_that_was_not_reached(
    first: State, others: State, steps: list[State]
) -> None:
    running = nodes(others) | {"kafka1": nodes(first)["kafka1"]}
    found = sequence(list(running.values()), nodes(ALONE), "CLIENT", "CLIENT")
    assert [set(step.listeners) for step in found] == [set(step.listeners) for step in steps]
    assert [step.controllers for step in found] == [step.controllers for step in steps]


def test_a_listener_that_brokers_still_talk_over_cannot_go() -> None:
    alone = changed(USED, listeners={"INTERNAL": (9094, "SSL"), "CONTROLLER": CONTROLLER}, admin="INTERNAL")
    assert refused(ADDED, alone) == [
        "kafka_listeners: running brokers talk over CLIENT, which they would lose one by one"
    ]


@pytest.mark.parametrize("role", ["broker", "controller"])
def test_a_node_that_gives_up_a_role_needs_no_listener_of_it(role: str) -> None:
    running, declared = nodes(USUAL), nodes(USUAL, {**COMBINED, "kafka3": (role,)})
    assert changes(list(running.values()), declared) != []
    assert refusals(list(running.values()), declared, endpoint(running, declared, USUAL)) == []


def test_the_one_listener_that_answers_is_not_replaced_under_the_gates() -> None:
    before = changed(USED, inter_broker="INTERNAL", listeners={**USED.listeners, "INTERNAL": (9094, "SSL")})
    after = changed(
        before,
        listeners={"INTERNAL": (9094, "SSL"), "CONTROLLER": CONTROLLER, "PUBLIC": (9099, "PLAINTEXT")},
        admin="PUBLIC",
    )
    assert refused(before, after) == [
        "kafka_admin_listener: CLIENT, by which the running brokers are asked, would go away broker by broker; keep "
        "one listener through the change"
    ]


def test_a_cluster_that_does_not_run_may_become_anything() -> None:
    for state in (after for after, _ in REFUSED):
        assert mixed_refused({}, state) == []


def test_what_changes_is_said_once_with_the_nodes_that_it_concerns() -> None:
    running = nodes(USUAL) | {"kafka1": nodes(MOVED)["kafka1"]}
    assert changes(list(running.values()), nodes(MOVED)) == ["CLIENT moves from port 9092 to 9192 (kafka2, kafka3)"]
    assert changes(list(nodes(MOVED).values()), nodes(MOVED)) == []
    assert changes(list(nodes(ADDED).values()), nodes(USUAL)) == [
        "INTERNAL is removed from port 9094 (kafka1, kafka2, kafka3)"
    ]


# How the cluster is asked.

SERVERS = ("kafka1:9092", "kafka2:9092", "kafka3:9092")
CANNOT_TALK = (
    "it cannot talk to a listener that all running brokers have ({why}); set security_protocol in it to that of the "
    "running listener, with the sasl_… and ssl_… options that go with it"
)


def test_a_cluster_at_rest_is_asked_where_it_is_declared() -> None:
    expected = AdminEndpoint("CLIENT", ("kafka1:9092", "kafka2:9092", "kafka3:9092"), {})
    assert endpoint(nodes(USUAL), nodes(USUAL), USUAL) == expected
    assert endpoint({}, nodes(USUAL), USUAL) == expected


def test_a_listener_that_moves_is_asked_where_it_runs_and_where_it_goes() -> None:
    running = nodes(USUAL) | {"kafka1": nodes(MOVED)["kafka1"]}
    asked = endpoint(running, nodes(MOVED), MOVED).bootstrap_servers
    assert asked == ("kafka1:9192", "kafka2:9092", "kafka3:9092", "kafka2:9192", "kafka3:9192")


def test_a_listener_that_nobody_has_yet_is_not_asked() -> None:
    before = changed(listeners={**USUAL.listeners, "OTHER": (9095, "PLAINTEXT")})
    declared = changed(before, listeners={**before.listeners, "ADMIN": (9096, "PLAINTEXT")}, admin="ADMIN")
    assert endpoint(nodes(before), nodes(declared), declared).listener == "CLIENT"


@pytest.mark.parametrize(
    ("running", "client", "laid_over"),
    [
        ("PLAINTEXT", "SASL_SSL", {"security_protocol": "PLAINTEXT"}),
        ("SSL", "SASL_SSL", {"security_protocol": "SSL"}),
        ("SASL_PLAINTEXT", "SASL_SSL", {"security_protocol": "SASL_PLAINTEXT"}),
        ("SASL_SSL", "SASL_SSL", {}),
    ],
)
def test_the_client_speaks_what_runs(running: str, client: str, laid_over: dict[str, str]) -> None:
    before = changed(listeners={"CLIENT": (9092, running), "CONTROLLER": CONTROLLER})
    after = changed(listeners={"CLIENT": (9092, client), "CONTROLLER": CONTROLLER})
    asked = endpoint(nodes(before), nodes(after), after, client)
    assert (asked.client, asked.problem) == (laid_over, "")
    assert asked.bootstrap_servers[0] == "kafka1:9092"


@pytest.mark.parametrize("running", ["SSL", "SASL_PLAINTEXT", "SASL_SSL"])
def test_a_client_that_lacks_what_runs_is_told_what_to_set(running: str) -> None:
    before = changed(listeners={"CLIENT": (9092, running), "CONTROLLER": CONTROLLER})
    assert endpoint(nodes(before), nodes(USUAL), USUAL) == AdminEndpoint(
        "CLIENT", SERVERS, {}, CANNOT_TALK.format(why=f"brokers run CLIENT as {running}")
    )


def test_a_declared_client_that_cannot_talk_to_the_declared_listener_is_told_so() -> None:
    secure = changed(listeners={"CLIENT": (9092, "SASL_SSL"), "CONTROLLER": CONTROLLER})
    assert endpoint({}, nodes(secure), secure) == AdminEndpoint(
        "CLIENT", SERVERS, {}, CANNOT_TALK.format(why="brokers are declared CLIENT as SASL_SSL")
    )


def test_brokers_that_have_no_listener_in_common_or_speak_two_protocols_cannot_be_asked() -> None:
    other = changed(listeners={"OTHER": (9095, "PLAINTEXT"), "CONTROLLER": CONTROLLER}, inter_broker="OTHER")
    apart = endpoint(nodes(USUAL) | {"kafka1": nodes(other)["kafka1"]}, nodes(USUAL), USUAL)
    assert apart == AdminEndpoint(
        "CLIENT", ("kafka2:9092", "kafka3:9092"), {}, CANNOT_TALK.format(why="they have none in common")
    )
    tls = changed(listeners={"CLIENT": (9092, "SSL"), "CONTROLLER": CONTROLLER})
    mixed = endpoint(nodes(USUAL) | {"kafka1": nodes(tls)["kafka1"]}, nodes(USUAL), USUAL)
    assert mixed.problem == CANNOT_TALK.format(why="brokers run CLIENT as PLAINTEXT and SSL")


def test_controllers_that_listen_elsewhere_are_told_in_their_order() -> None:
    assert changes(list(nodes(BESIDE).values()), nodes(FIRST)) == [
        "controllers listen on CONTROL, CONTROLLER instead of CONTROLLER, CONTROL (kafka1, kafka2, kafka3)"
    ]


# What the quorum says of itself.


def quorum_refused(before: State, after: State, quorum: Quorum) -> list[str]:
    running, declared = nodes(before), nodes(after)
    admin = endpoint(running, declared, after)
    return [str(refusal) for refusal in refusals(list(running.values()), declared, admin, quorum)]


def test_a_listener_that_the_quorum_does_not_know_yet_is_waited_for() -> None:
    known = {1: {"CONTROLLER", "CONTROL"}, 2: {"CONTROLLER"}, 3: {"CONTROLLER", "CONTROL"}}
    assert quorum_refused(BESIDE, FIRST, Quorum(True, known)) == [
        "kafka_controller_listener: the quorum does not know CONTROL of controller 2 yet; run again once it does"
    ]
    assert quorum_refused(BESIDE, FIRST, Quorum(True, {1: {"CONTROL"}, 2: {"CONTROL"}})) == []


def test_a_static_quorum_keeps_its_listeners() -> None:
    assert quorum_refused(USUAL, BESIDE, Quorum(False, {})) == [
        "kafka_controller_listener: the quorum is static (kraft.version 0), so that voters cannot tell where else they "
        "listen; finalize kraft.version 1 first"
    ]
    assert quorum_refused(USUAL, MOVED, Quorum(False, {})) == []


# The same for whatever anybody may declare.

NAMES, CONTROL_NAMES, PORTS = ("CLIENT", "INTERNAL"), ("CONTROLLER", "CONTROL"), (9092, 9093, 9094, 9095)


@st.composite
def states(draw: st.DrawFn) -> State:
    names = draw(st.lists(st.sampled_from(NAMES), min_size=1, max_size=2, unique=True))
    controllers = draw(st.lists(st.sampled_from(CONTROL_NAMES), min_size=1, max_size=2, unique=True))
    every = [*names, *controllers]
    ports = draw(st.permutations(PORTS))
    protocols = draw(st.lists(st.sampled_from(("PLAINTEXT", "SSL")), min_size=len(every), max_size=len(every)))
    listeners = {name: (port, protocol) for name, port, protocol in zip(every, ports, protocols, strict=False)}
    return State(listeners, draw(st.sampled_from(names)), tuple(controllers), draw(st.sampled_from(names)))


def mixtures(before: Nodes, after: Nodes) -> list[Nodes]:
    """Every mixture of nodes that have been restarted and nodes that have not."""
    return [
        {name: (after if restarted else before)[name] for name, restarted in zip(before, each, strict=True)}
        for each in product((False, True), repeat=len(before))
    ]


def cut_off(mixture: Nodes, asked_by: str) -> list[str]:
    """The pairs of nodes that cannot talk, said without the code under test."""
    pairs = []
    for one, other in product(mixture.values(), repeat=2):
        if one.is_broker and other.is_broker:
            target = other.listeners.get(one.inter_broker)
            if target is None or target.protocol != one.protocols[one.inter_broker]:
                pairs.append(f"{one.node} to {other.node}")
        if other.is_controller:
            target = other.listeners.get(one.controllers[0])
            if target is None or target.protocol != one.protocols[one.controllers[0]]:
                pairs.append(f"{one.node} to controller {other.node}")
            elif one.is_controller and one.listeners[one.controllers[0]].port != target.port:
                pairs.append(f"{one.node} to where it was told that controller {other.node} is")
        if other.is_broker and asked_by not in other.listeners:
            pairs.append(f"the gate to {other.node}")
    return pairs


ROLES = st.sampled_from((COMBINED, DEDICATED))


@settings(max_examples=60)
@given(states(), states(), ROLES)
def test_nobody_is_cut_off_by_a_roll_that_is_not_refused(
    before: State, after: State, roles: Mapping[str, Sequence[str]]
) -> None:
    running, declared = nodes(before, roles), nodes(after, roles)
    admin = endpoint(running, declared, after, "SASL_SSL")
    if refusals(list(running.values()), declared, admin):
        return
    for mixture in mixtures(running, declared):
        assert cut_off(mixture, admin.listener) == []
        # Interrupted anywhere, the next run goes on, or goes back.
        again = endpoint(mixture, declared, after, "SASL_SSL")
        assert refusals(list(mixture.values()), declared, again) == []
        back = endpoint(mixture, running, before, "SASL_SSL")
        assert refusals(list(mixture.values()), running, back) == []


@settings(max_examples=60)
@given(states(), states(), ROLES)
def test_each_declaration_of_the_sequence_is_one_roll(
    before: State, after: State, roles: Mapping[str, Sequence[str]]
) -> None:
    running, declared = nodes(before, roles), nodes(after, roles)
    admin = endpoint(running, declared, after, "SASL_SSL")
    steps = sequence(list(running.values()), declared, after.admin, admin.listener)
    for step in steps:
        reached = nodes(step, roles)
        admin = endpoint(running, reached, step, "SASL_SSL")
        assert refusals(list(running.values()), reached, admin) == [], step
        running = reached
    if steps:
        assert sorted(protocol for _, protocol in steps[-1].listeners.values()) == sorted(
            protocol for _, protocol in after.listeners.values()
        )
        assert not changes(list(running.values()), nodes(steps[-1], roles))


# What a process was started with.


def test_the_properties_of_a_node_say_the_same_as_its_declaration() -> None:
    properties = {
        "process.roles": "broker,controller",
        "listeners": "CLIENT://:9092,CONTROLLER://[2001:db8::1]:9093",
        "advertised.listeners": "CLIENT://[2001:db8::1]:9092,CONTROLLER://[2001:db8::1]:9093",
        "listener.security.protocol.map": "CLIENT:PLAINTEXT,CONTROLLER:SSL",
        "inter.broker.listener.name": "CLIENT",
        "controller.listener.names": "CONTROLLER",
    }
    entries = [
        {"name": "CLIENT", "port": 9092, "security_protocol": "PLAINTEXT"},
        {"name": "CONTROLLER", "port": 9093, "security_protocol": "SSL", "bind": "2001:db8::1"},
    ]
    declared = declared_node("kafka1", ["broker", "controller"], "2001:db8::1", entries, "CLIENT", ["CONTROLLER"])
    now = running_node("kafka1", "kafka1", properties)
    assert now.listeners == declared.listeners
    assert (now.inter_broker, now.controllers, tuple(now.roles)) == (
        "CLIENT",
        ("CONTROLLER",),
        ("broker", "controller"),
    )
    assert changes([now], {"kafka1": declared}) == []


def test_what_the_properties_leave_out_is_what_kafka_takes() -> None:
    now = running_node(
        "kafka1", "kafka1.example", {"broker.id": "1", "listeners": "PLAINTEXT://:9092,SSL://0.0.0.0:9093"}
    )
    assert now.listeners["PLAINTEXT"].address == "kafka1.example:9092"
    assert now.listeners["SSL"].protocol == "SSL"
    assert (now.is_broker, now.is_controller, now.inter_broker, now.controllers) == (True, False, "PLAINTEXT", ())


def test_a_declaration_is_proposed_as_an_operator_writes_it() -> None:
    listeners = {"CLIENT": (9092, "SASL_SSL"), "INTERNAL": (9094, "SSL")}
    combined = State(listeners, "INTERNAL", ("CONTROLLER", "CONTROLLER_9193"), "CLIENT")
    assert combined.variables() == {
        "kafka_listeners": "[CLIENT 9092 SASL_SSL, INTERNAL 9094 SSL]",
        "kafka_inter_broker_listener": "INTERNAL",
        "kafka_controller_listener": "[CONTROLLER, CONTROLLER_9193]",
        "kafka_admin_listener": "CLIENT",
    }
    in_zookeeper_mode = State(listeners, "INTERNAL", (), "CLIENT")
    assert "kafka_controller_listener" not in in_zookeeper_mode.variables()
