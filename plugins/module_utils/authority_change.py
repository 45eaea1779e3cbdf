"""How the private authority is replaced while the cluster serves: who is trusted and who signs, phase by phase.

`ca.crt` in the authority's folder says both: nodes and clients trust each certificate in it, and the first one signs.
So one file, replaced at once, is the whole state, and any run goes on from it. Authorities are told apart by
`certificate.authority_id`: a certificate with new dates for the same key and name is the same authority.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass

NO_CHANGE, TRUST_BOTH, REISSUE, FINISH, ABANDON = "", "trust_both", "reissue", "finish", "abandon"
# From which phase each change may be declared; what has been reached may be declared again.
ALLOWED_FROM = {
    TRUST_BOTH: (NO_CHANGE, TRUST_BOTH, REISSUE),
    REISSUE: (TRUST_BOTH, REISSUE),
    FINISH: (REISSUE, NO_CHANGE),
    ABANDON: (TRUST_BOTH, NO_CHANGE),
}
# What comes before each change in the phase that does not allow it.
DECLARE_FIRST = {
    (REISSUE, NO_CHANGE): TRUST_BOTH,
    (FINISH, NO_CHANGE): TRUST_BOTH,
    (FINISH, TRUST_BOTH): REISSUE,
    (ABANDON, REISSUE): TRUST_BOTH,
}


@dataclass(frozen=True)
class Folder:
    """What is in the authority's folder.

    `trusted` are the authorities in `ca.crt`, `following` is the one in `next.crt`, "" if there is none; `retired`
    tells whether there has been a change before. `path` is for messages.
    """

    trusted: Sequence[str]
    following: str = ""
    retired: bool = False
    path: str = ""


@dataclass(frozen=True)
class Node:
    """What a node has in its files.

    `trusted` are the authorities in its truststore, `signer` is the one of them that signed its certificate, "" if
    none did. `unfinished`: its process was started with other files than those that are there.
    """

    name: str
    trusted: Collection[str] = ()
    signer: str = ""
    unfinished: bool = False


def phase(folder: Folder) -> str:
    """How far the change is."""
    if len(folder.trusted) < 2:
        return NO_CHANGE
    return REISSUE if folder.trusted[0] == folder.following else TRUST_BOTH


def target(folder: Folder, change: str) -> list[str]:
    """The authorities that are trusted after a run with this change, the first one signs.

    To begin, `following` is needed.
    """
    now = list(folder.trusted)
    if change == NO_CHANGE or not now:
        return now
    former = [each for each in now if each != folder.following]
    if phase(folder) == NO_CHANGE:
        return [*now, folder.following] if change == TRUST_BOTH and folder.following else now
    return {
        TRUST_BOTH: [*former, folder.following],
        REISSUE: [folder.following, *former],
        FINISH: [folder.following],
        ABANDON: former,
    }[change]


def refusals(folder: Folder, change: str, nodes: Iterable[Node], absent: Sequence[str]) -> Iterator[str]:
    """Yield why a run with this change may not be made, in sentences that name the variable.

    Args:
        folder: What the authority's folder has.
        change: The declared one, "" for none.
        nodes: Those of the run.
        absent: The names of the others of the cluster.
    """
    trusting = [node for node in nodes if node.trusted]
    if not folder.trusted:
        if trusting:
            yield f"tls_authority_dir: {folder.path} has no authority, though nodes trust one. Put the folder back."
        elif change:
            yield f"tls_authority_change: there is no authority to be changed yet; run without {change} first."
        return
    if len(folder.trusted) > 2 or (len(folder.trusted) == 2 and folder.following not in folder.trusted):
        yield (
            "tls_authority_dir: ca.crt has several certificates, and next.crt is not one of two. Put the folder back"
            " as the last run left it."
        )
        return
    begun = phase(folder)
    if change and (begun not in ALLOWED_FROM[change] or (change, begun, folder.retired) == (FINISH, NO_CHANGE, False)):
        told = f"the change of the authority is in phase {begun}" if begun else "no change of the authority has begun"
        yield f"tls_authority_change: {told}; {DECLARE_FIRST[change, begun]} comes before {change}. Declare it first."
        return
    if (change, begun) == (TRUST_BOTH, NO_CHANGE) and folder.following == folder.trusted[0]:
        yield "tls_authority_change: the run that finished the last change was interrupted. Run without it first."
        return
    yield from _node_refusals(folder, change, trusting, absent)


def _node_refusals(folder: Folder, change: str, nodes: Sequence[Node], absent: Sequence[str]) -> Iterator[str]:
    begins = change == TRUST_BOTH and phase(folder) == NO_CHANGE
    goal = target(folder, change)
    if foreign := [node.name for node in nodes if not {*goal} & {*node.trusted}]:
        yield (
            f"tls_authority_dir: its authority is not trusted by {_listed(foreign)}, so that nodes would refuse each"
            " other until the last has been restarted. Put the former authority's folder back; to replace an authority,"
            " set tls_authority_change (docs/certificates.md)."
        )
        return
    changes = begins or goal != list(folder.trusted)
    if changes and absent:
        yield f"tls_authority_change: {change} is for the whole cluster; this run leaves out {_listed(absent)}."
    why = {
        "the authority that would sign is not trusted by": [node.name for node in nodes if goal[0] not in node.trusted],
        "the authority would no longer be trusted that signed the certificate of": [
            node.name for node in nodes if node.signer and node.signer not in goal
        ],
        # A process that was started with other files may trust or show less than they say.
        "a restart with the certificates that are there is due for": [
            node.name for node in nodes if node.unfinished and changes and not begins
        ],
    }
    for what, names in why.items():
        if not names:
            continue
        if changes:
            yield (
                f"tls_authority_change: {change} is too early: {what} {_listed(names)}. Run without it first, which"
                " finishes the phase before."
            )
        else:
            yield f"tls_authority_dir: {what} {_listed(names)}. Put the folder back as the last run left it."


def next_step(folder: Folder, change: str) -> str:
    """What to do after a run that left the folder so, "" where no change is under way."""
    begun = phase(folder)
    if begun == TRUST_BOTH:
        return (
            "The nodes trust both authorities; the former one signs. Give ca.crt of tls_authority_dir to all clients,"
            " then run with tls_authority_change=reissue. (abandon goes back.)"
        )
    if begun == REISSUE:
        return (
            "The nodes show certificates of the new authority and trust both. When every client trusts the new one and"
            " has new certificates, if it shows any, run with tls_authority_change=finish. (trust_both goes back.)"
        )
    if change in (FINISH, ABANDON):
        return "One authority is trusted alone. The files of the other one are in retired/ of tls_authority_dir."
    return ""


def needs_renewal(folder: Folder, change: str, left_days: float, within_days: float) -> bool:
    """Whether the authority needs a certificate with new dates, which it gets for the same key and name.

    Where it is being replaced it needs none.

    Args:
        folder: What the authority's folder has.
        change: The declared one, "" for none.
        left_days: How long its certificate is valid yet.
        within_days: For how long it has to be: what it signs may not be valid longer than itself.
    """
    return bool(folder.trusted) and change == phase(folder) == NO_CHANGE and left_days < within_days


def _listed(names: Sequence[str]) -> str:
    return ", ".join(sorted(names))
