"""What the terminal says: the progress line and the verdict in words."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from kafka_load.config.slo import LIMITS, titled

_HEADLINES = {"pass": "PASS", "fail": "FAIL", "inconclusive": "INCONCLUSIVE"}


@dataclass(frozen=True)
class Progress:
    """What a progress line shows: rates in records/s over the last second, counts so far."""

    t_s: float
    due: float
    acknowledged: float
    lag: Mapping[str, int]
    lost: int


def duration(seconds: float) -> str:
    """A span as a person says it: `850 ms`, `9.6 s`, `2 min 05 s`, `4 h 00 min`; rounded first, so never `60 s`."""
    if round(seconds * 1000) < 1000:
        return f"{seconds * 1000:.0f} ms"
    if round(seconds, 1) < 60:
        return f"{seconds:.1f} s"
    if round(seconds) < 3600:
        return f"{round(seconds) // 60} min {round(seconds) % 60:02d} s"
    minutes = round(seconds / 60)
    return f"{minutes // 60} h {minutes % 60:02d} min"


def milliseconds(us: float) -> str:
    """Microseconds shown as milliseconds with three significant digits, from ten seconds on as seconds."""
    ms = us / 1000
    if ms >= 10_000:
        return f"{ms / 1000:,.1f} s"
    return f"{ms:,.0f} ms" if ms >= 100 else f"{ms:.3g} ms"


def number(value: float, digits: int = 6) -> str:
    """A figure with so many significant digits, and all of those before the point."""
    return f"{value:,.0f}" if abs(value) >= 10 ** (digits - 1) else f"{value:,.{digits}g}"


def plus_minus(uncertainty_us: float) -> str:
    """How certain a latency between two workers is, to be written behind it; nothing if they have one clock."""
    return f" ± {milliseconds(uncertainty_us)}" if uncertainty_us else ""


def progress(now: Progress) -> str:
    """One line that says how the run is doing."""
    lag = ", ".join(f"{group} {count:,}" for group, count in now.lag.items()) or "nobody reads"
    return (
        f"{int(now.t_s) // 60:3d}:{int(now.t_s) % 60:02d}  "
        f"due {now.due:,.0f}/s  acknowledged {now.acknowledged:,.0f}/s  lag {lag}  lost {now.lost:,}"
    )


def title(result: Mapping[str, Any]) -> str:
    """The name of a limit of the verdict, and the group or topic that it was given for."""
    return titled(result["name"], result.get("of", ""))


def breach(result: Mapping[str, Any]) -> str:
    """One sentence about a limit that was not kept."""
    limit = LIMITS[result["name"]]
    bound = "at least" if limit.at_least else "at most"
    return f"{title(result)} is {number(result['value'])}, {bound} {number(result['limit'])} allowed ({limit.what})"


def broken(verdict: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """The limits that were certainly not kept."""
    return [result for result in verdict["slo"] if not result["ok"] and not result.get("undecided")]


def headline(verdict: Mapping[str, Any]) -> str:
    """The verdict in one sentence."""
    acknowledged = verdict["produced"]["acknowledged"]
    if verdict["outcome"] == "pass":
        found = "none lost" if not worst(verdict, "lost") else f"{worst(verdict, 'lost'):,} lost, as was allowed"
        return f"{acknowledged:,} records acknowledged, {found}, every limit kept"
    if verdict["outcome"] == "fail":
        names = [title(result) for result in broken(verdict)]
        if not names:
            return str(verdict["failures"][0])
        return f"{len(names)} limit{'s' * (len(names) != 1)} broken: {', '.join(names)}"
    return "this run proves nothing: " + (verdict["notes"][0] if verdict["notes"] else "it could not be judged")


def worst(verdict: Mapping[str, Any], count: str) -> int:
    """The highest `count` of any group."""
    return max((group[count] for group in verdict["groups"]), default=0)


def closing(verdict: Mapping[str, Any], report: str) -> str:
    """The verdict in words: what a run prints last; `report` says where the rest can be read."""
    produced, gap = verdict["produced"], verdict["availability"]
    lines = [
        f"{_HEADLINES[verdict['outcome']]}  {headline(verdict)}",
        "",
        _row("acknowledged", f"{produced['acknowledged']:,}", _others(produced)),
    ]
    for group in verdict["groups"]:
        lines.append(_row(group["group"], f"{group['consumed']:,}", _found(group)))
        if work := group.get("processing"):
            lines.append(_row("  processed", f"{work['processed']:,}", _processing(work)))
        if work := group.get("transform"):
            counts = [f"{count:,} {name.replace('_', ' ')}" for name, count in work.items() if name != "transformed"]
            lines.append(_row("  transformed", f"{work['transformed']:,}", ", ".join(counts)))
    lines.append(_row("longest gap", duration(gap["longest_gap_s"]), _where(gap)))
    latency = verdict["latency_us"]
    lines.append(_row("p99 from intended time", milliseconds(latency["produce"]["p99"]), "to the acknowledgement"))
    for group, values in latency["end_to_end"].items():
        lines.append(_row("", milliseconds(values["p99"]), f"to {group}{plus_minus(values.get('uncertainty', 0))}"))
    for group, values in latency.get("processing", {}).items():
        uncertain = plus_minus(values.get("uncertainty", 0))
        lines.append(_row("", milliseconds(values["p99"]), f"to processed by {group}{uncertain}"))
    for fault in verdict["faults"]:
        lines.append(_row("fault", f"{fault['injected_at_s'] or 0:.1f} s", fault_in_words(fault)))
    lines += [f"  ✗ {breach(result)}" for result in broken(verdict)]
    lines += [f"  ✗ {failure}" for failure in verdict.get("failures", ())]
    lines += [f"  ! {note}" for note in verdict["notes"] if note not in verdict.get("failures", ())]
    return "\n".join([*lines, "", f"  {report}"])


def fault_in_words(fault: Mapping[str, Any]) -> str:
    """What happened to which target, and how long after it the cluster had recovered if that is known."""
    after_s = fault.get("recovered_after_s")
    recovered = "" if after_s is None else f", recovered after {duration(after_s)}"
    return f"{fault['name']} {fault['target']}{recovered}"


def _row(what: str, value: str, detail: str = "") -> str:
    return f"  {what:<24}{value:>12}  {detail}".rstrip()


def _others(produced: Mapping[str, int]) -> str:
    return f"{produced['failed']:,} failed, {produced['indeterminate']:,} indeterminate"


def _found(group: Mapping[str, Any]) -> str:
    always = f"{group['lost']:,} lost, {group['redelivered']:,} redelivered, {group['reordered']:,} reordered"
    rest = [
        f"{group[name]:,} {word}"
        for name, word in (
            ("duplicated_in_log", "duplicated in log"),
            ("duplicated_by_broker", "of them by a broker"),
            ("duplicated_by_client", "of them by the client"),
            ("phantom", "phantom"),
            ("diverged", "diverged"),
            ("offset_regressions", "offset regressions"),
            ("lag_at_end", "not committed at the end"),
            ("unread", "unread"),
            ("unverifiable", "unverifiable"),
        )
        if group.get(name)
    ]
    return ", ".join([always, *rest])


def _processing(work: Mapping[str, int]) -> str:
    always = ("dead_lettered", "retried", "unprocessed")
    rest = [name for name in ("processed_again", "dead_lettered_again", "unverifiable") if work[name]]
    return ", ".join(f"{work[name]:,} {name.replace('_', ' ')}" for name in (*always, *rest))


def _where(gap: Mapping[str, Any]) -> str:
    if not gap["partitions"]:
        return ""
    name, longest = max(gap["partitions"].items(), key=lambda item: item[1]["longest_gap_s"])
    return f"{name} at {longest['at_s']:.1f} s"
