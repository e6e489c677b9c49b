"""What a dialect does with fields that do not tell how a response was answered: it reads, hides, names or signs."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from functools import partial

from app.core.dialect import Dialect, ErrorField
from app.core.reasons import MEANINGS, Reason
from app.glossary.forms import Form, matched

THROUGH = "the response has come through it"
Role = Callable[[str], Iterable[str]]


def roles(dialect: Dialect) -> Mapping[str, Role]:
    """By field name, what can be said of a value of it; nothing where it is not this dialect's."""
    found: dict[str, Role] = {}
    for name in sorted(dialect.hidden - {spoken.name for spoken in dialect.fields}):
        found[name] = _always("read or dropped: no client sees it")
    for tag in dialect.rules.tags:
        kept = "; no client sees it" if tag.field in dialect.hidden else ""
        found[tag.field] = _always(f"tags, by which it may be purged{kept}")
    order = [one.field for one in dialect.rules.governing]
    for at, name in enumerate(order):
        before = f", unless {' or '.join(order[:at])} is there" if at else ""
        kept = "consumed" if name in dialect.hidden else "passed on to the client"
        found[name] = _always(f"governs in place of Cache-Control{before}; {kept}")
    if dialect.identity is not None:
        form = Form(dialect.identity.template)
        found[dialect.identity.name.lower()] = partial(_named, form)
    if dialect.error is not None:
        found[dialect.error.name.lower()] = partial(_failed, dialect.error)
    if dialect.server is not None:
        found["server"] = partial(_equal, dialect.server, THROUGH)
    if dialect.via is not None:
        found["via"] = partial(_among, f"1.1 {dialect.via}", THROUGH)
    return found


def _always(text: str) -> Role:
    return lambda _: (text,)


def _named(form: Form, value: str) -> Iterable[str]:
    match = matched(value, [form])
    parts = "" if match is None else "".join(f"; {slot}: {text}" for slot, text in match.slots.items())
    yield f"a name for this one request{parts}"


def _failed(error: ErrorField, value: str) -> Iterable[str]:
    causes = [cause for cause, code in error.codes.items() if code.lower() == value.lower()]
    if causes:
        said = (MEANINGS[Reason(one)].meaning if one in list(Reason) else one.replace("_", " ") for one in causes)
        yield f"its code for: {', or '.join(said)}"
    elif value.lower() == error.otherwise.lower():
        yield "its code for: the origin gave no answer that could be used"


def _equal(ours: str, text: str, value: str) -> Iterable[str]:
    return (text,) if value.lower() == ours.lower() else ()


def _among(ours: str, text: str, value: str) -> Iterable[str]:
    return (text,) if any(one.strip().lower() == ours.lower() for one in value.split(",")) else ()
