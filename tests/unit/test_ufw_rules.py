"""The module ufw_rules at its edge: files in a folder stand for ufw's, and small programs for ufw and systemctl."""

from __future__ import annotations

import socket
from pathlib import Path
from typing import Any

import pytest
from module_runner import run_module
from stand_in_commands import in_python, no_commands, stand_in

from ansible_collections.crucible.kafka.plugins.modules import ufw_rules

# It does with its files what ufw does with its own, and writes down how it was called.
UFW = in_python(
    """
import pathlib, re, sys
etc = pathlib.Path(__file__).parent.parent / "etc"
words = sys.argv[1:]
if (etc / "refused").exists() and (etc / "refused").read_text() in words:
    sys.exit("ERROR: problem running ufw-init")
if words != ["status"]:
    with (etc / "calls").open("a") as calls:
        print(*words, file=calls)


def put(file, name, value):
    text = (etc / file).read_text()
    (etc / file).write_text(re.sub(f"(?m)^{name}=.*$", f'{name}="{value}"', text))


def rule(words):
    verb = words.pop(0) if words[0] in ("prepend", "delete") else "append"
    given = dict(zip(words[1:-1:2], words[2::2])) | {"comment": words[-1]}
    v6 = ":" in given["from"]
    fields = [given["proto"], given["port"], "::/0" if v6 else "0.0.0.0/0", "any", given["from"], "in"]
    start = f"### tuple ### {words[0]} {' '.join(fields)}"
    line = f"{start} comment={given['comment'].encode().hex()}"
    file = etc / ("user6.rules" if v6 else "user.rules")
    lines = file.read_text().splitlines()
    at = [i for i, each in enumerate(lines) if each.startswith(start)]
    if verb == "delete":
        del lines[at[0]]
    elif at:
        lines[at[0]] = line
    else:
        lines.insert(0 if verb == "prepend" else len(lines), line)
    file.write_text("".join(f"{each}\\n" for each in lines))


if words == ["status"]:
    print("Status:", "active" if (etc / "active").exists() else "inactive")
elif words == ["--force", "enable"]:
    (etc / "active").touch()
    put("ufw.conf", "ENABLED", "yes")
elif words[0] == "default":
    put("default", "DEFAULT_INPUT_POLICY", {"deny": "DROP"}[words[1]])
elif words[0] == "logging":
    put("ufw.conf", "LOGLEVEL", words[1])
elif words[0] != "reload":
    rule(words)
"""
)
SYSTEMCTL = """enabled=${0%/*}/../etc/unit-enabled
case "$*" in
  "is-enabled ufw") test -e "$enabled" ;;
  "enable ufw") touch "$enabled" ;;
  *) exit 64 ;;
esac"""

SSH = {"comment": "SSH", "ports": [22], "from": ["192.0.2.0/24"]}
CLIENTS = {"comment": "Kafka clients", "ports": [9093, 9092], "from": ["198.51.100.0/24", "2001:db8::/32"]}
RULES = [
    "allow tcp 192.0.2.0/24 -> 0.0.0.0/0 port 22 in  # crucible: SSH",
    "allow tcp 198.51.100.0/24 -> 0.0.0.0/0 port 9092,9093 in  # crucible: Kafka clients",
    "allow tcp 2001:db8::/32 -> ::/0 port 9092,9093 in  # crucible: Kafka clients",
]


@pytest.fixture(autouse=True)
def etc(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """The folder of ufw's files on a host where it was just installed: inactive, and without rules."""
    stand_in(monkeypatch, tmp_path / "bin", {"ufw": UFW, "systemctl": SYSTEMCTL})
    folder = tmp_path / "etc"
    folder.mkdir()
    (folder / "default").write_text('IPV6=yes\nDEFAULT_INPUT_POLICY="ACCEPT"\n', encoding="utf-8")
    (folder / "ufw.conf").write_text("ENABLED=no\nLOGLEVEL=off\n", encoding="utf-8")
    (folder / "if_inet6").touch()
    for name in ("user.rules", "user6.rules"):
        (folder / name).touch()
    monkeypatch.setattr(ufw_rules, "DEFAULTS", folder / "default")
    monkeypatch.setattr(ufw_rules, "SETTINGS", folder / "ufw.conf")
    monkeypatch.setattr(ufw_rules, "RULES_FILES", [folder / "user.rules", folder / "user6.rules"])
    monkeypatch.setattr(ufw_rules, "IPV6_ADDRESSES", folder / "if_inet6")
    monkeypatch.setattr(ufw_rules, "ssh_connection", lambda: ("192.0.2.9", "192.0.2.1", 22))
    return folder


def firewall(check: bool = False, **given: Any) -> dict[str, Any]:
    return run_module("ufw_rules", check=check, **{"first": [SSH], "rules": [CLIENTS], **given})


def contents(etc: Path) -> dict[str, str]:
    return {path.name: path.read_text(encoding="utf-8") for path in etc.iterdir()}


def calls(etc: Path) -> list[str]:
    """How ufw was called since the last question, but for its status."""
    record = etc / "calls"
    lines = record.read_text(encoding="utf-8").splitlines() if record.exists() else []
    record.unlink(missing_ok=True)
    return lines


def test_the_rules_are_there_before_the_door_is_closed_and_a_second_call_has_nothing_to_do(etc: Path) -> None:
    answer = firewall()
    assert answer.get("changed"), answer
    assert answer["diff"]["before"].splitlines()[1:] == [
        *("incoming: accept", "logging: off", "now: inactive", "at boot: no", "unit: disabled")
    ]
    state = ["ipv6: yes", "incoming: deny", "logging: low", "now: active", "at boot: yes", "unit: enabled"]
    assert answer["diff"]["after"].splitlines() == [*state, *RULES]
    assert (answer["foreign"], answer["kept"]) == ([], [])
    called = calls(etc)
    assert called[0] == "prepend allow proto tcp from 192.0.2.0/24 to any port 22 comment crucible: SSH"
    assert called[-3:] == ["default deny incoming", "logging low", "--force enable"]
    assert (etc / "unit-enabled").exists()
    again = firewall()
    assert again["changed"] is False
    assert again["diff"]["before"] == again["diff"]["after"] == answer["diff"]["after"]
    assert calls(etc) == []


def test_check_mode_tells_the_same_and_changes_nothing(etc: Path) -> None:
    before = contents(etc)
    rehearsed = firewall(check=True)
    assert contents(etc) == before
    answer = firewall()
    for key in ("changed", "diff", "foreign", "kept"):
        assert rehearsed[key] == answer[key]


def test_check_mode_on_a_host_without_ufw_tells_the_rules_that_will_be_made(etc: Path) -> None:
    (etc / "default").unlink()
    answer = firewall(check=True)
    assert answer["changed"], answer
    assert answer["diff"]["before"] == ""
    assert answer["diff"]["after"].splitlines()[-3:] == RULES
    assert (answer["foreign"], answer["kept"]) == ([], [])


@pytest.mark.parametrize("check", [False, True])
@pytest.mark.parametrize("installed", [False, True])
def test_a_firewall_that_would_lock_this_session_out_is_refused(
    etc: Path, monkeypatch: pytest.MonkeyPatch, check: bool, installed: bool
) -> None:
    monkeypatch.setattr(ufw_rules, "ssh_connection", lambda: ("203.0.113.5", "192.0.2.1", 22))
    if not installed:
        (etc / "default").unlink()
        check = True
    before = contents(etc)
    answer = firewall(check=check)
    assert answer.get("failed"), answer
    assert "would lock out this SSH session from 203.0.113.5 to port 22" in answer["msg"]
    assert "firewall_admin_cidrs" in answer["msg"]
    assert contents(etc) == before


def test_a_rule_that_is_no_longer_declared_goes_or_stays_for_now(etc: Path) -> None:
    firewall()
    answer = firewall(rules=[], keep_undeclared=True)
    assert (answer["changed"], answer["kept"]) == (False, RULES[1:])
    answer = firewall(rules=[])
    assert answer["changed"]
    assert answer["kept"] == []
    assert answer["diff"]["after"].splitlines()[-1:] == RULES[:1]
    assert not firewall(rules=[])["changed"]


def test_a_rule_of_somebody_else_stays_and_is_told(etc: Path) -> None:
    theirs = "### tuple ### deny tcp 9092 0.0.0.0/0 any 203.0.113.0/24 in\n"
    (etc / "user.rules").write_text(theirs, encoding="utf-8")
    answer = firewall()
    assert answer["foreign"] == ["deny tcp 203.0.113.0/24 -> 0.0.0.0/0 port 9092 in"]
    assert answer["foreign"][0] in str(answer["warnings"])
    assert theirs in (etc / "user.rules").read_text(encoding="utf-8")


def test_a_rule_of_somebody_else_that_says_the_opposite_is_refused(etc: Path) -> None:
    (etc / "user.rules").write_text("### tuple ### deny tcp 22 0.0.0.0/0 any 192.0.2.0/24 in\n", encoding="utf-8")
    before = contents(etc)
    answer = firewall()
    assert answer["failed"]
    assert answer["msg"].startswith("The firewall was left alone: The rule 'deny tcp 192.0.2.0/24")
    assert contents(etc) == before


def test_a_host_without_ipv6_gets_no_rules_for_it(etc: Path) -> None:
    (etc / "if_inet6").unlink()
    answer = firewall()
    assert answer["diff"]["after"].splitlines()[-2:] == RULES[:2]
    assert "IPV6=no" in (etc / "default").read_text(encoding="utf-8")
    assert not firewall()["changed"]


def test_a_file_that_says_nothing_of_ipv6_is_completed(etc: Path) -> None:
    (etc / "default").write_text('DEFAULT_INPUT_POLICY="ACCEPT"', encoding="utf-8")
    assert firewall()["changed"]
    assert calls(etc)[0] == "reload"
    assert not firewall()["changed"]


def test_names_are_resolved_on_the_host_and_its_own_loopback_is_left_out(
    etc: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def resolve(name: str, *_: Any, **__: Any) -> list[Any]:
        assert name == "shop.example.com"
        return [(0, 0, 0, "", (address, 0)) for address in ("198.51.100.7", "127.0.1.1", "198.51.100.7")]

    monkeypatch.setattr(socket, "getaddrinfo", resolve)
    answer = firewall(rules=[{"comment": "Shop", "ports": [9092], "from": ["shop.example.com"]}])
    assert answer["diff"]["after"].splitlines()[6:] == [
        RULES[0],
        "allow tcp 198.51.100.7 -> 0.0.0.0/0 port 9092 in  # crucible: Shop",
    ]


@pytest.mark.parametrize("check", [False, True])
@pytest.mark.parametrize("installed", [False, True])
@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"from": ["shop..example.com"]}, "'shop..example.com' is no address, and this host knows no such name"),
        ({"ports": [70000]}, "'Shop': 70000 is no port; give numbers from 1 to 65535"),
        ({"ports": [0]}, "'Shop': 0 is no port; give numbers from 1 to 65535"),
    ],
)
def test_a_rule_that_cannot_be_made_is_refused_before_another_one_is(
    etc: Path, changes: dict[str, Any], told: str, check: bool, installed: bool
) -> None:
    if not installed:
        (etc / "default").unlink()
        check = True
    before = contents(etc)
    answer = firewall(check=check, rules=[CLIENTS, {"comment": "Shop", "ports": [9092], "from": ["::1"], **changes}])
    assert answer.get("failed"), answer
    assert answer["msg"].startswith(f"The firewall was left alone: {told}")
    assert contents(etc) == before


@pytest.mark.parametrize("missing", ["default", "ufw.conf", "user6.rules"])
def test_a_file_of_ufws_that_cannot_be_read_is_told_in_one_sentence(etc: Path, missing: str) -> None:
    (etc / missing).unlink()
    before = contents(etc)
    answer = firewall()
    assert answer["failed"]
    assert answer["msg"] == (
        f"The firewall was left alone: {etc}/{missing} cannot be read (No such file or directory); is ufw installed?"
    )
    assert contents(etc) == before


def test_a_host_without_the_command_is_told_in_one_sentence(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    no_commands(monkeypatch, tmp_path / "none")
    answer = firewall()
    assert answer["failed"]
    assert answer["msg"] == "The command ufw cannot be run on this host: No such file or directory."


def test_a_change_that_ufw_refuses_is_told_and_finished_by_the_next_run(etc: Path) -> None:
    (etc / "refused").write_text("default", encoding="utf-8")
    answer = firewall()
    assert answer["failed"]
    assert answer["msg"] == ("The command 'ufw default deny incoming' ended with 1: ERROR: problem running ufw-init.")
    (etc / "refused").unlink()
    calls(etc)
    assert firewall()["changed"]
    assert calls(etc) == ["default deny incoming", "logging low", "--force enable"]


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"first": None}, "missing required arguments: first"),
        ({"rules": None}, "missing required arguments: rules"),
        *(
            ({"rules": [{key: CLIENTS[key] for key in CLIENTS if key != name}]}, f"missing required arguments: {name}")
            for name in CLIENTS
        ),
        ({"rules": [{**CLIENTS, "proto": "icmp"}]}, "value of proto must be one of: tcp, udp, got: icmp"),
        ({"rules": [{**CLIENTS, "ports": ["http"]}]}, "Elements value for option 'ports'"),
        ({"logging": "loud"}, "value of logging must be one of: off, low, medium, high, full, got: loud"),
        ({"keep_undeclared": "maybe"}, "argument 'keep_undeclared' is of type"),
    ],
)
def test_what_is_missing_or_unknown_is_refused_by_its_name(etc: Path, changes: dict[str, Any], told: str) -> None:
    before = contents(etc)
    given = {"first": [SSH], "rules": [CLIENTS], **changes}
    answer = run_module("ufw_rules", **{name: value for name, value in given.items() if value is not None})
    assert answer["failed"]
    assert told in answer["msg"]
    assert contents(etc) == before
