"""What the types of a dialect's fields cannot say: which words, statuses, slots and directives there are."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from dataclasses import fields
from string import Formatter
from typing import Any

from app.config_error import ConfigError
from app.core.decisions import Result
from app.core.dialect import Dialect
from app.core.directives import Directives
from app.core.exposure import exposed
from app.core.reasons import Reason
from app.core.rules import Rules
from app.core.speech import SLOTS
from app.records import reject_unknown
from app.upstream.errors import ProxyError

# More is in no CDN's field.
LONGEST_RANDOM = 128
_SLOTS = ("region", "node", "millis", "random")
_MEDIA_TYPE = re.compile(r"[a-z0-9.+-]+/(\*|[a-z0-9.+-]+)")
# What to write so that nothing of this makes a stored response one client's own.
_KEPT_APART = {
    "Authorization": 'authorization = "bypass"',
    "Cookie": 'cookies = "bypass"',
    "POST": "store_post = false",
    "the query": 'query = "withhold"',
}


def check_exposed(dialect: Dialect, accepted: Collection[tuple[str, str]], where: str) -> None:
    """Raise ConfigError where its rules share more than what is `accepted` of what is for one client (see exposed)."""
    pairs = exposed(dialect).difference(accepted)
    if not pairs:
        return
    directives, seen = (sorted({pair[side] for pair in pairs}) for side in (0, 1))
    what = f"what says {' or '.join(directives)} would be given to everybody, while the origin sees {', '.join(seen)}"
    raise ConfigError(f"{where}: {what}; write {', '.join(map(_KEPT_APART.__getitem__, seen))}, or obey it")


def check_words(speech: Mapping[str, Any], where: str) -> None:
    """The slots of templates, and what words and error codes are given for. Raises ConfigError, as all of these do."""
    for name, value in speech["announced"]:
        _check_template(value, ("client", "scheme", "host"), f"{where}.announced.{name}")
    if speech.get("identity") is not None:
        _check_template(speech["identity"].template, _SLOTS, f"{where}.identity.template")
    for field in speech["fields"]:
        _check_template(field.value, SLOTS, f"{where}.fields.{field.name}.value")
        for word in field.templates[1:]:
            _check_template(word, SLOTS[1:], f"{where}.fields.{field.name}: {word!r}")
        reject_unknown(field.by_reason, (*Reason,), f"{where}.fields.{field.name}.by_reason")
        for key in field.by_status:
            result, _, status = key.rpartition(" ")
            _check_status(status, f"{where}.fields.{field.name}.by_status")
            reject_unknown([result] if result else [], (*Result,), f"{where}.fields.{field.name}.by_status")
    if speech.get("error") is not None:
        reject_unknown(speech["error"].codes, (*ProxyError, *Reason), f"{where}.error.codes")


def check_rules(rules: Rules, where: str) -> None:
    """Which directives there are, and how a status is named."""
    known = [one.name.replace("_", "-") for one in fields(Directives)]
    for name in (
        "ignored_directives", "stale_while_revalidate_barred_by", "ignored_request_directives",
        "default_stale_if_error_barred_by", "stale_if_error_barred_by",
    ):  # fmt: skip
        reject_unknown(sorted(getattr(rules, name)), known, f"{where}.{name}")
    for name in ("default_lifetimes", "least_lifetimes", "forbidden_lifetimes"):
        for status in getattr(rules, name):
            if status != "*":
                _check_status(status, f"{where}.{name}", ", or *")
    for media_type in rules.default_lifetimes_by_type:
        if _MEDIA_TYPE.fullmatch(media_type) is None:
            fix = "write one like text/css, or image/* for all of a kind, in lower case"
            raise ConfigError(f"{where}.default_lifetimes_by_type: {media_type!r} is no media type; {fix}")


def _check_status(status: str, where: str, more: str = "") -> None:
    if re.fullmatch(r"[1-5](\d\d|xx)", status) is None:
        raise ConfigError(f"{where}: {status!r} is no status; write one like 404, or a class like 4xx{more}")


def _check_template(template: str, known: Collection[str], where: str) -> None:
    try:
        parts = [(slot, form) for _, slot, form, _ in Formatter().parse(template) if slot is not None]
    except ValueError as error:
        raise ConfigError(f"{where}: {error}; write a brace twice to mean it") from None
    reject_unknown((slot for slot, _ in parts), known, where)
    for slot, form in parts:
        if form and not (slot in ("random", "token") and form.isdecimal() and 0 < int(form) <= LONGEST_RANDOM):
            fix = f"only {{random:N}} and {{token:N}} have a length, up to {LONGEST_RANDOM}"
            raise ConfigError(f"{where}: {{{slot}:{form}}} cannot be filled; {fix}")


def check_values(speech: Mapping[str, Any], where: str) -> None:
    """What goes into a field must be able to stand there (RFC 9110 §5.5)."""
    said = {name: value for name, value in speech.items() if isinstance(value, str)}
    for field in speech["fields"]:
        texts = (*field.templates, field.separator)
        said |= {f"fields.{field.name} ({place})": text for place, text in enumerate(texts)}
    said |= {f"announced.{name}": value for name, value in speech["announced"]}
    for name, value in said.items():
        if not (value.isascii() and value.isprintable()):
            raise ConfigError(f"{where}.{name}: {value!r} cannot stand in a field; write printable ASCII on one line")
