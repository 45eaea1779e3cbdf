"""What has to be done so that the SCRAM users of a cluster are what is declared. Pure: no Kafka, no file, no clock.

Kafka tells the mechanisms and iterations of a user's credentials, never the salt or the key. So it cannot be asked
whether a password is the declared one; the record of earlier runs (user_record.py) says for which credentials it is.
Each credential is set with an iteration count that is drawn from a range above the declared one. If Kafka shows another
count than the record, somebody else has set the credential since.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from .saslprep import is_stable

MECHANISMS = {"SCRAM-SHA-256": 1, "SCRAM-SHA-512": 2}
DEFAULT_MECHANISM = "SCRAM-SHA-512"
MIN_ITERATIONS, MAX_ITERATIONS = 4096, 16384
# The declared count itself is never drawn where there is room above it: it is what somebody else would take.
ITERATIONS_ABOVE = 500
# A KRaft controller refuses more than 10,000 records in one operation.
CHANGES_PER_REQUEST = 2000


class Credential(NamedTuple):
    """What Kafka keeps one password for."""

    name: str
    mechanism: str

    def __str__(self) -> str:
        return f"{self.name} ({self.mechanism})"


@dataclass(frozen=True)
class DeclaredCredential:
    """A credential that shall be there (`present`), or a user that shall not have it."""

    credential: Credential
    password: str = field(repr=False)
    iterations: int = MIN_ITERATIONS
    present: bool = True


@dataclass(frozen=True)
class Login:
    """The credential by which the admin client itself is logged in."""

    credential: Credential
    password: str = field(repr=False)


@dataclass(frozen=True)
class UserPlan:
    """Credentials to set, each with the reason, and to remove; `undeclared` are users that stay as they are."""

    set: Mapping[Credential, str] = field(default_factory=dict)
    remove: Sequence[Credential] = ()
    undeclared: Sequence[str] = ()
    refusals: Sequence[str] = ()

    @property
    def changes(self) -> bool:
        """Whether there is anything to do."""
        return bool(self.set or self.remove)

    def before(self, current: Iterable[Credential]) -> list[str]:
        """What changes, as it is, for a diff."""
        return [str(each) for each in sorted(current) if each in self.set or each in self.remove]

    def after(self) -> list[str]:
        """The same as it will be."""
        return [f"{each}: {reason}" for each, reason in sorted(self.set.items())]


def iteration_counts(declared: int) -> range:
    """The counts with which a credential may be set for which `declared` is declared."""
    return range(declared + 1, min(declared + ITERATIONS_ABOVE, MAX_ITERATIONS) + 1) or range(declared, declared + 1)


def problems(entries: Iterable[Mapping[str, Any]]) -> list[str]:
    """What is wrong with entries of `kafka_users`, in sentences that never show a password."""
    entries = list(entries)
    found = [sentence for number, entry in enumerate(entries, 1) for sentence in _problems(entry, number)]
    twice = Counter(_credential(entry) for entry in entries if isinstance(entry.get("name"), str))
    return found + [f"{each}: declared {times} times" for each, times in twice.items() if times > 1]


def _problems(entry: Mapping[str, Any], number: int) -> Iterator[str]:
    name, mechanism = entry.get("name"), _mechanism(entry)
    iterations = _iterations(entry)
    if not isinstance(name, str):
        yield f"entry {number}: name is not a text; quote it"
        return
    who = name or f"entry {number}"
    if not name:
        yield f"{who}: name is empty"
    elif not is_stable(name):
        yield f"{who}: the name has characters that SASLprep changes or refuses, so that not every client could log in"
    if mechanism not in MECHANISMS:
        yield f"{who}: mechanism is {mechanism}; Kafka has {' and '.join(MECHANISMS)}"
    if iterations is None or not MIN_ITERATIONS <= iterations <= MAX_ITERATIONS:
        given = entry.get("iterations")
        yield f"{who}: iterations is {given}; Kafka takes {MIN_ITERATIONS} to {MAX_ITERATIONS}"
    if entry.get("state") not in (None, "present", "absent"):
        yield f"{who}: state is {entry['state']}; it is present or absent"
    elif _present(entry):
        yield from (f"{who}: {sentence}" for sentence in password_problems(entry.get("password")))


def password_problems(password: Any) -> Iterator[str]:
    """Yield what is wrong with a declared password, in sentences that do not show it."""
    if password is None:
        yield "password is missing; state: absent would remove the user"
    elif not isinstance(password, str):
        yield "password is not a text; quote it, for YAML changes what looks like a number or a truth value"
    elif not password:
        yield "password is empty"
    elif not is_stable(password):
        yield "password has characters that SASLprep changes or refuses, so that not every client could log in"


def declared(entries: Iterable[Mapping[str, Any]]) -> list[DeclaredCredential]:
    """The credentials that entries without `problems` declare."""
    return [
        DeclaredCredential(
            _credential(entry), entry.get("password") or "", _iterations(entry) or MIN_ITERATIONS, _present(entry)
        )
        for entry in entries
    ]


def login(client: Mapping[str, Any]) -> Login | None:
    """As whom kafka-python's client with these options logs in by SCRAM, None if it does not."""
    mechanism = client.get("sasl_mechanism")
    if not str(client.get("security_protocol", "")).startswith("SASL_") or mechanism not in MECHANISMS:
        return None
    return Login(
        Credential(str(client.get("sasl_plain_username")), mechanism), str(client.get("sasl_plain_password", ""))
    )


def plan(
    current: Mapping[Credential, int],
    wanted: Sequence[DeclaredCredential],
    recorded: Mapping[Credential, int],
    own: Login | None = None,
    exposed: Collection[Credential] = (),
) -> UserPlan:
    """The steps from the cluster's credentials to the declared ones; with any refusal, no steps at all.

    Args:
        current: The iterations of all credentials in the cluster.
        wanted: What is declared. A declared user has exactly the credentials that are declared present.
        recorded: The iterations with which earlier runs have set the declared passwords.
        own: As whom the admin client is logged in.
        exposed: Those whose salted passwords were sent unencrypted, and would not be now.
    """
    present = {each.credential: each for each in wanted if each.present}
    users = {each.credential.name for each in wanted}
    remove = sorted(each for each in current if each.name in users and each not in present)
    refusals = []
    if own and own.credential in remove:
        refusals.append(
            f"{own.credential}: kafka_admin_client logs in by it, so it is not removed; declare it present, "
            "or let kafka_admin_client log in otherwise first"
        )
    if own and own.credential in present and present[own.credential].password != own.password:
        refusals.append(
            f"{own.credential}: kafka_admin_client logs in by it with another password, and the rest of this run could "
            "not log in any more; declare the new password for the other mechanism, let kafka_admin_client log in by "
            "that, then change this one"
        )
    if refusals:
        return UserPlan(refusals=refusals)
    reasons = {key: _reason(current.get(key), each, recorded.get(key), key in exposed) for key, each in present.items()}
    return UserPlan(
        set={key: reason for key, reason in reasons.items() if reason},
        remove=remove,
        undeclared=sorted({each.name for each in current} - users),
    )


def _reason(current: int | None, wanted: DeclaredCredential, recorded: int | None, exposed: bool) -> str:
    """Why a credential is set, "" if it is what is declared."""
    if current is None:
        return "new"
    if recorded is None:
        return "set anew, as the record does not have the declared password"
    if current != recorded:
        return "set anew, as somebody else has set it since"
    if current not in iteration_counts(wanted.iterations):
        return "set anew, as other iterations are declared"
    return "set anew, as it was sent unencrypted" if exposed else ""


def requests(changes: UserPlan) -> Iterator[list[Credential]]:
    """The plan's credentials by request: in one request Kafka changes each user once.

    What a user gets comes before what the user loses.
    """
    ordered = [*changes.set, *changes.remove]
    rounds: list[list[Credential]] = []
    times: Counter[str] = Counter()
    for each in ordered:
        if times[each.name] == len(rounds):
            rounds.append([])
        rounds[times[each.name]].append(each)
        times[each.name] += 1
    for one in rounds:
        for start in range(0, len(one), CHANGES_PER_REQUEST):
            yield one[start : start + CHANGES_PER_REQUEST]


def _mechanism(entry: Mapping[str, Any]) -> Any:
    return entry.get("mechanism") or DEFAULT_MECHANISM


def _credential(entry: Mapping[str, Any]) -> Credential:
    return Credential(entry["name"], str(_mechanism(entry)))


def _present(entry: Mapping[str, Any]) -> bool:
    return (entry.get("state") or "present") == "present"


def _iterations(entry: Mapping[str, Any]) -> int | None:
    """The declared count, None if it is no number."""
    given = entry.get("iterations")
    if given is None:
        return MIN_ITERATIONS
    if isinstance(given, bool) or not str(given).isdecimal():
        return None
    return int(given)
