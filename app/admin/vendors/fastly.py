"""Fastly's purge calls (fastly.com/documentation/reference/api/purging; npm fastly 13.0, PyPI fastly 15.0)."""

from __future__ import annotations

from collections.abc import Sequence

from starlette.responses import Response

from app.admin.problems import answer
from app.admin.purges import Purged
from app.admin.vendors.calls import Call, Endpoint, Fault, Rejected, Vendor
from app.admin.vendors.reading import fields, items, tags, url
from app.core.messages import Headers
from app.core.purging import EVERYTHING, Kind, Mode, Purge, Selector

MOST_KEYS = 256
LONGEST_KEY = 1024
SOFT = "fastly-soft-purge"
URL_PREFIX = "/purge/"

STATUSES = {Fault.TOO_LARGE: 413}


def mode(headers: Headers) -> Mode:
    """Soft by a header whose value is of no importance."""
    return Mode.SOFT if SOFT in headers else Mode.HARD


def purge_id(call_id: str, now: float) -> str:
    """Like 108-1391560174-974124."""
    return f"{int(call_id[:2], 16)}-{int(now)}-{int(call_id[2:7], 16)}"


def everything(call: Call) -> Sequence[Purge]:
    """Never soft, whatever the header says."""
    return [call.purge(Mode.HARD, EVERYTHING)]


def one_key(call: Call) -> Sequence[Purge]:
    return _keys(call, [call.path["key"]])


def many_keys(call: Call) -> Sequence[Purge]:
    return _keys(call, _named(call))


def one_url(call: Call) -> Sequence[Purge]:
    """The URL is what follows, its query included."""
    return [call.purge(mode(call.headers), url(call.target.removeprefix(URL_PREFIX), "the URL"))]


def _named(call: Call) -> list[str]:
    """From the header Surrogate-Key, or else from the body."""
    if "surrogate-key" in call.headers:
        keys = [key for line in call.headers.lines("surrogate-key") for key in line.split()]
        return items(keys, "Surrogate-Key", most=MOST_KEYS)
    given = fields(call, ["surrogate_keys"]) if call.body else {}
    if "surrogate_keys" not in given:
        raise Rejected(Fault.MISSING, "no keys; send the header Surrogate-Key: a b, or surrogate_keys in a JSON body")
    return items(given["surrogate_keys"], "surrogate_keys", most=MOST_KEYS)


def _keys(call: Call, keys: Sequence[object]) -> Sequence[Purge]:
    named = tags(keys, "surrogate_keys", longest=LONGEST_KEY)
    if not named:
        raise Rejected(Fault.MISSING, "surrogate_keys is empty; name at least one key")
    for key in named:
        if " " in key:
            raise Rejected(Fault.VALUE, f"surrogate_keys has {key!r}; no key has a space: spaces part them")
    return [call.purge(mode(call.headers), Selector(Kind.TAG, key)) for key in named]


def purged(call: Call, _purged: Purged) -> Response:
    return answer({"status": "ok", "id": purge_id(call.id, call.now)})


def purged_all(_call: Call, _purged: Purged) -> Response:
    return answer({"status": "ok"})


def purged_keys(call: Call, _purged: Purged) -> Response:
    return answer(dict.fromkeys(_named(call), purge_id(call.id, call.now)))


def refuse(_call: Call, rejected: Rejected) -> Response:
    return answer({"msg": "Bad request", "detail": rejected.detail}, STATUSES.get(rejected.fault, 400))


VENDOR = Vendor(
    (
        Endpoint("/service/{service}/purge_all", everything, purged_all),
        Endpoint("/service/{service}/purge", many_keys, purged_keys),
        Endpoint("/service/{service}/purge/{key:path}", one_key, purged),
        Endpoint(f"{URL_PREFIX}{{url:path}}", one_url, purged),
    ),
    refuse,
)
