"""What the firewall's plan promises, for any rules that a host may have."""

from __future__ import annotations

from dataclasses import replace
from ipaddress import ip_network

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.crucible.kafka.plugins.module_utils.firewall import (
    OWNER,
    ConflictError,
    Rule,
    Step,
    admits,
    apply,
    canonical,
    declare,
    difference,
    parse,
)

# What ufw 0.36.2 wrote after `prepend allow proto tcp from 10.97.11.0/24 to any port 22 comment 'crucible: SSH'`,
# `allow OpenSSH`, `deny in on eth0 from 10.1.1.1`, `route allow from 10.2.0.0/16` and an IPv6 rule.
USER_RULES = """*filter
:ufw-user-input - [0:0]
### RULES ###

### tuple ### allow tcp 22 0.0.0.0/0 any 10.97.11.0/24 in comment=6372756369626c653a20535348
-A ufw-user-input -p tcp --dport 22 -s 10.97.11.0/24 -j ACCEPT

### tuple ### allow tcp 22 0.0.0.0/0 any 0.0.0.0/0 OpenSSH - in
-A ufw-user-input -p tcp --dport 22 -j ACCEPT -m comment --comment 'dapp_OpenSSH'

### tuple ### deny any any 0.0.0.0/0 any 10.1.1.1 in_eth0
### tuple ### route:allow any any 0.0.0.0/0 any 10.2.0.0/16 in
COMMIT
"""
SSH = declare("SSH", [22], ["10.0.0.0/8"])
DENY_ALL = Rule("deny", "any", "any", "0.0.0.0/0", "any", "0.0.0.0/0", "in")

networks = st.sampled_from(
    ["0.0.0.0/0", "10.0.0.0/30", "10.0.0.1", "10.0.0.2/31", "::/0", "2001:db8::/64", "2001:db8::1", "2001:db8::2/127"]
)
ports = st.sampled_from([[22], [9092], [9093, 9092]])
rules = st.builds(
    lambda comment, port, source: declare(comment, port, [source])[0], st.sampled_from("ab"), ports, networks
)
declared_rules = st.lists(rules, max_size=5)


@st.composite
def present_rules(draw: st.DrawFn) -> list[Rule]:
    """Rules of a host: some of ours, some by others, no two with one match, IPv4's before IPv6's, as ufw keeps them."""
    ours = draw(declared_rules)
    foreign = [
        replace(
            rule, action=draw(st.sampled_from(["allow", "allow_log"])), comment=draw(st.sampled_from(["", "theirs"]))
        )
        for rule in draw(declared_rules)
    ]
    foreign += [replace(rule, action="deny", protocol="any", comment="") for rule in draw(declared_rules)]
    distinct = list({rule.match: rule for rule in draw(st.permutations(ours + foreign))}.values())
    return sorted(distinct, key=lambda rule: rule.v6)


@given(present_rules(), declared_rules, declared_rules)
def test_after_the_plan_a_host_has_the_declared_rules_and_those_by_others(
    present: list[Rule], first: list[Rule], rest: list[Rule]
) -> None:
    plan = difference(present, first, rest)
    after = apply(present, plan.steps)
    foreign = {rule for rule in present if not rule.ours}
    assert set(plan.foreign) == foreign <= set(after)
    assert {rule.match for rule in after} == {rule.match for rule in [*first, *rest, *foreign]}
    assert {rule.match for rule in after if rule.ours} <= {rule.match for rule in [*first, *rest]}
    assert len({rule.match for rule in after}) == len(after)


@given(present_rules(), declared_rules, declared_rules)
def test_a_second_plan_is_empty(present: list[Rule], first: list[Rule], rest: list[Rule]) -> None:
    after = apply(present, difference(present, first, rest).steps)
    assert difference(after, first, rest).steps == ()


@given(present_rules(), declared_rules, declared_rules)
def test_a_declared_rule_that_is_there_never_goes_away_on_the_way(
    present: list[Rule], first: list[Rule], rest: list[Rule]
) -> None:
    steps = difference(present, first, rest).steps
    declared = {rule.match for rule in [*first, *rest]}
    kept = declared & {rule.match for rule in present}
    for done in range(len(steps) + 1):
        assert kept <= {rule.match for rule in apply(present, steps[:done])}
    verbs = [step.verb == "delete" for step in steps]
    assert verbs == sorted(verbs)  # Nothing is added after the first deletion.


@given(present_rules(), st.lists(rules, min_size=1, max_size=5), declared_rules)
def test_new_rules_that_go_first_stand_above_all_others_in_their_order(
    present: list[Rule], first: list[Rule], rest: list[Rule]
) -> None:
    before = {rule.match for rule in present}
    after = apply(present, difference(present, first, rest).steps)
    for v6 in (False, True):
        new = [m for m in dict.fromkeys(rule.match for rule in first if rule.v6 == v6) if m not in before]
        assert [rule.match for rule in after if rule.v6 == v6][: len(new)] == new


def test_rules_below_keep_the_declared_order() -> None:
    rest = declare("b", [9092], ["10.0.0.2", "10.0.0.1"]) + declare("a", [1], ["10.0.0.9"])
    assert apply([], difference([], SSH, rest).steps) == [*SSH, *rest]


def test_rules_go_in_by_the_command_for_their_place() -> None:
    rest = declare("Kafka", [9092], ["10.0.0.1", "10.0.0.2"])
    assert difference([], SSH, rest).steps == (
        Step("prepend", SSH[0]),
        Step("append", rest[0]),
        Step("append", rest[1]),
    )


def test_a_rule_for_an_ipv6_source_is_one_of_ipv6_and_known_again_as_ours() -> None:
    (rule,) = declare("Kafka", [9092], ["2001:db8::1"])
    assert rule.destination == "::/0"
    assert rule.ours
    assert declare("Kafka", [9092], ["10.0.0.1"])[0].destination == "0.0.0.0/0"


def test_rules_that_stay_for_now_are_told_and_only_they() -> None:
    assert difference(SSH, [], [], keep=True).kept == tuple(SSH)
    deleted = difference(SSH, [], [])
    assert (deleted.steps, deleted.kept) == ((Step("delete", SSH[0]),), ())


def test_a_rule_is_shown_with_its_comment_if_it_has_one() -> None:
    assert str(SSH[0]) == "allow tcp 10.0.0.0/8 -> 0.0.0.0/0 port 22 in  # crucible: SSH"
    assert str(DENY_ALL) == "deny any 0.0.0.0/0 -> 0.0.0.0/0 port any in"


def test_a_changed_comment_is_updated_in_place() -> None:
    renamed = [replace(SSH[0], comment=OWNER + "Secure Shell")]
    assert difference(SSH, renamed, []).steps == (Step("append", renamed[0]),)
    assert apply(SSH, difference(SSH, renamed, []).steps) == renamed


def test_a_contradiction_by_somebody_else_is_refused_by_name() -> None:
    theirs = replace(SSH[0], action="deny", comment="")
    with pytest.raises(ConflictError, match=r"deny tcp 10\.0\.0\.0/8"):
        difference([theirs], SSH, [])


def test_reads_what_ufw_writes() -> None:
    ours, app, bound, routed = parse(USER_RULES)
    assert ours == declare("SSH", [22], ["10.97.11.0/24"])[0]
    assert ours.ours
    assert (app.where, app.ours) == ("OpenSSH - in", False)
    assert bound.where == "in_eth0"
    assert routed.routed


def test_reads_a_rule_without_a_direction_and_a_comment_that_is_no_text() -> None:
    (rule,) = parse("### tuple ### allow tcp 22 0.0.0.0/0 any 10.0.0.0/8 comment=ff41\n")
    assert (rule.where, rule.comment) == ("in", "\\xffA")


def test_a_rule_with_our_mark_and_another_shape_is_not_ours() -> None:
    assert not replace(SSH[0], where="in_eth0").ours
    assert not replace(SSH[0], action="deny").ours


@pytest.mark.parametrize(
    ("given_text", "spelling"),
    [
        ("10.0.0.5/24", "10.0.0.0/24"),
        ("10.0.0.5/32", "10.0.0.5"),
        ("2001:DB8:0::1/128", "2001:db8::1"),
        ("::/0", "::/0"),
        ("::ffff:10.0.0.1", "::ffff:10.0.0.1"),
    ],
)
def test_addresses_are_spelt_as_ufw_spells_them(given_text: str, spelling: str) -> None:
    assert canonical(given_text) == spelling


@given(networks)
def test_spelling_an_address_twice_changes_nothing(network: str) -> None:
    assert canonical(canonical(network)) == canonical(network)
    assert ip_network(canonical(network)) == ip_network(network, strict=False)


def test_no_rule_has_more_ports_than_ufw_takes() -> None:
    rules = declare("brokers", range(9000, 9033), ["10.0.0.1", "2001:db8::1"])
    assert [len(rule.port.split(",")) for rule in rules] == [15, 15, 3] * 2
    assert sorted(port for rule in rules[:3] for port in rule.port.split(",")) == [str(n) for n in range(9000, 9033)]
    assert [len(rule.port.split(",")) for rule in declare("brokers", range(9000, 9015), ["10.0.0.1"])] == [15]


def test_commands_carry_the_whole_rule() -> None:
    rule = declare("brokers", [9093, 9092], ["2001:db8::1"])[0]
    words = ["proto", "tcp", "from", "2001:db8::1", "to", "any", "port", "9092,9093", "comment"]
    assert Step("prepend", rule).argv == ["prepend", "allow", *words, "crucible: brokers"]
    assert Step("append", rule).argv == ["allow", *words, "crucible: brokers"]
    assert Step("delete", rule).argv == ["delete", "allow", *words, "crucible: brokers"]


@pytest.mark.parametrize(
    ("rules", "admitted"),
    [
        ([], False),
        (SSH, True),
        ([DENY_ALL, *SSH], False),
        ([*SSH, DENY_ALL], True),
        (declare("other network", [22], ["192.168.0.0/16"]), False),
        (declare("IPv6", [22], ["::/0"]), False),
        (declare("other port", [9092], ["10.0.0.0/8"]), False),
        (declare("other protocol", [22], ["10.0.0.0/8"], "udp"), False),
        ([replace(SSH[0], action="limit")], True),
        ([replace(SSH[0], port="20:30,80")], True),
        ([replace(SSH[0], where="in_eth0")], False),
        ([replace(DENY_ALL, where="in_eth0"), *SSH], False),
        ([replace(DENY_ALL, where="out"), *SSH], True),
        ([replace(DENY_ALL, action="route:deny"), *SSH], True),
        ([replace(DENY_ALL, destination="10.0.0.9"), *SSH], True),
        ([replace(SSH[0], source_port="1024")], False),
        ([replace(SSH[0], source="10.9.9.9/8")], True),  # The network of an address.
    ],
)
def test_who_would_be_locked_out(rules: list[Rule], admitted: bool) -> None:
    assert admits(rules, client="10.1.2.3", server="10.0.0.1", port=22) is admitted


# While listeners change: the rules before, those that are declared, and who gets through afterwards.
CLIENTS, MEMBER = "192.0.2.0/24", "10.0.0.2"
BEFORE = [*declare("Kafka from the cluster", [9092, 9093], [MEMBER]), *declare("Kafka from clients", [9092], [CLIENTS])]
CHANGES = {
    "a port is moved": (
        [*declare("Kafka from the cluster", [9192, 9093], [MEMBER]), *declare("Kafka from clients", [9192], [CLIENTS])],
        {(MEMBER, 9092): False, (MEMBER, 9192): True, ("192.0.2.7", 9092): False, ("192.0.2.7", 9192): True},
    ),
    "a listener is added": (
        [*declare("Kafka from the cluster", [9092, 9093, 9094], [MEMBER]), *BEFORE[1:]],
        {(MEMBER, 9094): True, (MEMBER, 9092): True, ("192.0.2.7", 9092): True},
    ),
    "a listener is removed": (
        declare("Kafka from the cluster", [9093], [MEMBER]),
        {(MEMBER, 9092): False, ("192.0.2.7", 9092): False, (MEMBER, 9093): True},
    ),
    "a listener is for members only": (BEFORE[:1], {("192.0.2.7", 9092): False, (MEMBER, 9092): True}),
    "clients have another network": (
        [*BEFORE[:1], *declare("Kafka from clients", [9092], ["198.51.100.0/24"])],
        {("192.0.2.7", 9092): False, ("198.51.100.7", 9092): True},
    ),
    "the controllers' port is moved": (
        [*declare("Kafka from the cluster", [9092, 9193], [MEMBER]), *BEFORE[1:]],
        {(MEMBER, 9093): False, (MEMBER, 9193): True},
    ),
}


@pytest.mark.parametrize("change", CHANGES)
def test_until_the_last_broker_has_moved_whoever_had_or_gets_a_port_reaches_it(change: str) -> None:
    declared, after = CHANGES[change]
    during = apply(BEFORE, difference(BEFORE, [], declared, keep=True).steps)
    had = {(source, port) for source, port in after if admits(BEFORE, source, "10.0.0.1", port)}
    gets = {(source, port) for (source, port), admitted in after.items() if admitted}
    assert {(source, port) for source, port in after if admits(during, source, "10.0.0.1", port)} == had | gets
    # An interrupted run leaves both, and so does the next one until it is at its end.
    assert apply(during, difference(during, [], declared, keep=True).steps) == during
    final = apply(during, difference(during, [], declared).steps)
    assert {each: admits(final, each[0], "10.0.0.1", each[1]) for each in after} == after
    assert sorted(map(str, final)) == sorted(map(str, declared))


def test_what_is_kept_is_what_the_end_of_the_change_takes_away() -> None:
    declared, _ = CHANGES["a port is moved"]
    kept = difference(BEFORE, [], declared, keep=True).kept
    assert {step.rule for step in difference(BEFORE, [], declared).steps if step.verb == "delete"} == set(kept)
    assert difference(declared, [], declared, keep=True).kept == ()
