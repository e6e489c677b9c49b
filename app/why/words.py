"""Parts of a reasoning in words."""

from __future__ import annotations

from typing import Any

from app.core.because import delta
from app.core.fields import spelled
from app.why.drawing import length

Reasoning = dict[str, Any]


def outcome_words(reasoning: Reasoning) -> str:
    """What the request would get, in a few words."""
    answer = reasoning["answer"]
    match answer["kind"]:
        case "hit":
            then = ", then refreshed in the background" if answer["refreshes"] else ""
            return f"{answer['result'].upper()}{then}"
        case "refuse":
            return f"{answer['status']}: {answer['judgement']['meaning']}"
        case _:
            return "asks the origin " + ("whether it has changed" if answer["validates"] else f"({answer['fwd']})")


def governance_words(governance: Reasoning) -> str:
    """The field that governed as it was written, and what became of the others."""
    name, value = spelled(governance["field"]), governance["value"]
    said = f"no {name}" if value is None else f"{name}: {value}"
    notes = [
        *(f"no {spelled(one)}" for one in governance["absent"]),
        *(f"{spelled(one)} cannot be read" for one in governance["unread"]),
    ]
    if governance["beside"]:
        notes.append(f"beside it {', '.join(spelled(one) for one in governance['beside'])}")
    if governance["overruled"]:
        notes.append(f"it overrules {', '.join(spelled(one) for one in governance['overruled'])}")
    return f"{said}  ({', '.join(notes)})" if notes else said


def changes_words(route: Reasoning) -> str:
    """The rules that are others, with what they would be without the route."""
    changes = [f"{one['rule']} is {_value(one['after'])}, not {_value(one['before'])}" for one in route["changes"]]
    return "; ".join(changes) or "no rule"


def _value(value: Any) -> str:
    if isinstance(value, list | dict):
        return ", ".join(map(str, value)) or "none"
    if isinstance(value, bool):
        return str(value).lower()
    return "unset" if value is None else str(value)


def lifetime_words(variant: Reasoning) -> str:
    """What gave the lifetime, and the windows after it."""
    by = variant["lifetime_from"]
    parts = [f"{length(variant['lifetime'])} by {by}" if by else "none: nothing gives it one"]
    parts += [
        f"{name}={delta(variant[key])}"
        for name, key in (("stale-while-revalidate", "stale_while_revalidate"), ("stale-if-error", "stale_if_error"))
        if variant[key]
    ]
    return ", ".join(parts)


def became(last: Reasoning) -> str:
    """What became of the origin's last answer."""
    match last["outcome"]:
        case "save":
            return (
                "stored" if last["kept"] else "storable, but not stored now: broken off, too large, evicted or replaced"
            )
        case "freshen":
            return "which confirmed what is stored"
        case "reuse":
            return f"which confirmed what was stored, but may not be kept: {last['judgement']['reason']}"
        case "serve-stale":
            return "an error: what was stored goes on"
        case _:
            return f"not stored: {last['judgement']['reason']}"


def rounded(seconds: float) -> str:
    """A duration for reading in passing."""
    for least, one, unit in ((172_800, 86_400, "d"), (7_200, 3_600, "h"), (120, 60, "min")):
        if seconds >= least:
            return f"{seconds / one:.0f} {unit}"
    return f"{seconds:.0f} s"


def count(number: int, noun: str) -> str:
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def absent(value: str | None) -> str:
    return "(absent)" if value is None else value
