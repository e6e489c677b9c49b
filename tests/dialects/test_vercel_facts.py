"""Every documented fact of Vercel's cache and of what stands in front of Next.js, and where it is shown: by a scenario
that passes, or by a note in the dialect's file that says why it is not emulated.

The sections are those of facts/vercel-next.md: 1.1 values, 1.2 reasons, 1.4 what clients ask, 2.1 what is stored, 3
which field governs, 6.8 rules for a proxy.
"""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest

from app.core.decisions import Result
from app.core.reasons import Reason
from app.dialects import load_dialect

SCENARIOS = Path(__file__).parents[1] / "scenarios"


# Instead of a scenario: in the notes of a dialect there is one that begins so.
NOTES = {name: f"the notes of {name}" for name in ("vercel", "nextjs")}
NOTE = NOTES["vercel"]
WORDS, REASONS = "vercel/words-of-x-vercel-cache", "vercel/reasons"
STORED, STALE, CLIENT = "vercel/what-is-stored", "vercel/stale-windows", "vercel/what-the-client-gets"
RENEWAL, PRERENDERED = "vercel/renewal-by-token", "vercel/prerendered"
NO_AUTHORIZATION = "storing/authorization-never-meets-the-cache"
NO_DIRECTIVES = "vercel/request-directives-are-ignored"


def cache(word: str) -> str:
    return f'x-vercel-cache = "{word}"'


def reason(word: str) -> str:
    return f'x-vercel-cache-reason = "{word}"'


TAG_DELETED = f"{cache('REVALIDATED')}, {reason('Tag-based deletion')}"

# The section, the fact, the scenario (its place without .toml), and what has to stand in it.
FACTS: list[tuple[str, str, str, str]] = [
    ("1.1", "HIT: fresh, seconds since stored",      WORDS, f'{cache("HIT")}, x-cache = "HIT" }}, age = 4'),
    ("1.1", "MISS: nothing servable, Age 0",         WORDS, f"{cache('MISS')} }}, age = 0"),
    ("1.1", "MISS: every dynamic response",          WORDS, 'request = { get = "/dynamic" }'),
    ("1.1", "STALE: at once, refreshed behind",      WORDS, f'{cache("STALE")}, x-cache = "STALE" }}, age = 12'),
    ("1.1", "PRERENDER: first visit after a build",  PRERENDERED, f'{cache("PRERENDER")}, age = "0"'),
    ("1.1", "then HIT",                              PRERENDERED, cache("HIT")),
    ("1.1", "PRERENDER of what was built",           NOTE, "PRERENDER, with Age: 0, is the first visit of what"),
    ("1.1", "PRERENDER of a fallback shell",         NOTE, "PRERENDER on the shell of a page"),
    ("1.1", "REVALIDATED: deleted, made anew",       REASONS, f"{TAG_DELETED} }}, age = 0"),
    ("1.1", "REVALIDATED: forced, made anew",        RENEWAL, cache("REVALIDATED")),
    ("1.1", "BYPASS: not consulted",                 "vercel/draft-mode-bypasses", cache("BYPASS")),
    ("1.1", "BYPASS: GET with Authorization",        NO_AUTHORIZATION, cache("BYPASS")),
    ("1.1", "BYPASS: POST",                          "storing/post-passes-vercel", cache("BYPASS")),

    ("1.2", "MISS cold: first request for the key",  REASONS, reason("cold")),
    ("1.2", "MISS collapsed: waited along",          REASONS, f"{cache('MISS')}, {reason('collapsed')}"),
    ("1.2", "MISS error: the store failed",          NOTE, "the reason error of a MISS"),
    ("1.2", "MISS vary_key_denied, with the name",   REASONS, f"{cache('MISS')}, {reason('vary_key_denied:cookie')}"),
    ("1.2", "MISS without a reason: dynamic",        REASONS, 'absent = ["x-vercel-cache-reason"]'),
    ("1.2", "MISS after the end of every window",    NOTE, "a MISS on what has expired says no reason"),
    ("1.2", "BYPASS draft_mode, by the cookie",      REASONS, f"{cache('BYPASS')}, {reason('draft_mode')}"),
    ("1.2", "only if it is the token",               "vercel/draft-mode-by-token", "__prerender_bypass=guessed"),
    ("1.2", "BYPASS prerender_bypass, next-action",  REASONS, f"{cache('BYPASS')}, {reason('prerender_bypass')}"),
    ("1.2", "the same for forms and agents",         NOTE, "the reason prerender_bypass for a form"),
    ("1.2", "BYPASS crawler",                        NOTE, "the reason crawler of a BYPASS"),
    ("1.2", "STALE stale_time",                      REASONS, f"{cache('STALE')}, {reason('stale_time')}"),
    ("1.2", "STALE stale_tag",                       REASONS, f"{cache('STALE')}, {reason('stale_tag')}"),
    ("1.2", "STALE stale_error",                     REASONS, f"{cache('STALE')}, {reason('stale_error')}"),
    ("1.2", "REVALIDATED, Tag-based deletion",       REASONS, TAG_DELETED),
    ("1.2", "only the logs say them",                NOTE, "x-vercel-cache-reason is sent to the client"),

    ("1.4", "Pragma: no-cache on what is stale",     "vercel/pragma-revalidates-what-is-stale", cache("REVALIDATED")),
    ("1.4", "Cache-Control: no-cache does nothing",  NO_DIRECTIVES, cache("STALE")),
    ("1.4", "nor does x-vercel-cache: bypass",       NO_DIRECTIVES, 'x-vercel-cache = "bypass"'),

    ("2.1", "method GET or HEAD",                    STORED, 'head = "/200"'),
    ("2.1", "no other method",                       STORED, 'put = "/200"'),
    ("2.1", "no Range",                              "ranges/range-bypasses-vercel", "request-range"),
    ("2.1", "no Authorization",                      NO_AUTHORIZATION, "request-authorization"),
    ("2.1", "Cookie is no criterion",                STORED, 'Cookie = "session=bob"'),
    *[("2.1", f"status {status} is stored",          STORED, f"status = {status} }}")
      for status in (301, 302, 308, 410)],
    *[("2.1", f"status {status} is stored",          "storing/statuses-of-vercel", f'status = {status}, result = "hit"')
      for status in (307, 404)],
    ("2.1", "no other status",                       STORED, 'reason = "status"'),
    ("2.1", "10 MB at most",                         "storing/too-large-by-content-length", "too-large"),
    ("2.1", "20 MB for what streams",                NOTE, "the limit of 20 MB for what streams"),
    ("2.1", "no Set-Cookie",                         "storing/set-cookie-is-never-shared", 'reason = "set-cookie"'),
    ("2.1", "no private",                            STORED, 'reason = "private"'),
    ("2.1", "no no-cache",                           "storing/no-cache-is-not-stored-by-vercel", 'reason = "no-cache"'),
    ("2.1", "no no-store",                           STORED, 'reason = "no-store"'),
    ("2.1", "no Vary: *",                            STORED, 'reason = "vary-star"'),
    ("2.1", "no Vary: Cookie",                       "storing/vary-cookie-is-denied", 'reason = "vary-denied"'),
    ("2.1", "a shared lifetime must be there",       STORED, 'reason = "no-lifetime"'),
    ("2.1", "or max-age in a targeted field",        "vercel/targeted-fields", 'CDN-Cache-Control = "max-age=20"'),
    ("2.1", "max-age alone",                         NOTE, "max-age alone in Cache-Control stores nothing"),
    ("2.1", "proxy-revalidate is not supported",     STALE, 'get = "/proxy"'),
    ("2.1", "stale-if-error is supported",           STALE, 'error = "connection_refused"'),
    ("2.1", "from one second to a year",             STORED, '"ttl=31536000"'),

    *[("3",  f"table, row {row}",                    CLIENT, f'get = "/{row}"') for row in range(1, 8)],
    ("3",   "which directives remain",               NOTE, "which directives remain of Cache-Control"),
    ("3",   "a targeted field alone governs",        "vercel/targeted-fields", "ttl=20"),
    ("3",   "stale-while-revalidate",                STALE, cache("STALE")),
    ("3",   "the same without a number",             STALE, 'get = "/bare"'),
    ("3",   "nothing stale without it",              STALE, 'get = "/none"'),
    ("3",   "stale-if-error: 5xx, network, DNS",     STALE, 'error = "dns_error"'),

    ("6.8.1", "never store with Set-Cookie",         "storing/cleared-draft-cookies-are-not-stored", "set-cookie"),
    ("6.8.2", "what Next.js calls stale is not fresh", "vercel/a-stale-page-of-nextjs-is-not-fresh", "STALE"),
    ("6.8.3", "x-nextjs-cache does not store",       "nextjs/the-origins-own-is-never-said-again", 'get = "/b"'),
    ("6.8.4", "fields that come twice",              STORED, 'x-nextjs-prerender = ["1", "1"]'),
    ("6.8.5", "redirects without a lifetime",        STORED, 'request = { get = "/news?_rsc=1"'),
    *[("6.8.6", f"{name} is no client's",            "vercel/control-fields-are-stripped", f'{name} = ""') for name in (
        "x-prerender-revalidate", "x-middleware-subrequest", "next-resume", "x-matched-path", "x-next-revalidated-tags",
        "x-next-revalidate-tag-token",
    )],
    ("6.8.6", "x-nextjs-data outside /_next/data",   "vercel/nextjs-data-is-no-clients-word", "x-nextjs-data"),
    ("6.8.7", "bypass: the draft cookie",            "vercel/draft-mode-bypasses", cache("BYPASS")),
    ("6.8.7", "bypass: next-action",                 REASONS, "Next-Action"),
    ("6.8.7", "bypass: any POST, forms too",         "storing/post-passes-vercel", cache("BYPASS")),
    ("6.8.8", "s-maxage and its like stay here",     CLIENT, 'get = "/10"'),
    ("6.8.8", "but in front of `next start` alone",  NOTES["nextjs"], "X-Nextjs-Cache is computed here"),
    ("6.8.9", "a namespace for each deployment",     "purging/a-new-deployment-starts-cold", "deployment_header"),
    ("6.8.10", "a purge by path is of all variants", "purging/a-page-with-all-its-payloads", 'delete = "path /a"'),
    ("6.8.10", "and of page data",                   RENEWAL, "/_next/data/b1/a.json"),
    ("6.8.11", "RSC is in the key",                  "vercel/accept-is-in-the-key", "RSC"),
    ("6.8.11", "a window without a number ends",     "nextjs/guards", "/valueless"),]  # fmt: skip


@pytest.mark.parametrize(("section", "fact", "place", "evidence"), FACTS, ids=[f"{one[0]} {one[1]}" for one in FACTS])
def test_a_fact_is_shown_or_the_reason_said(section: str, fact: str, place: str, evidence: str) -> None:
    noted = [name for name, notes in NOTES.items() if notes == place]
    if noted:
        notes = [note for note in load_dialect(noted[0]).notes if note.what.startswith(evidence)]
        assert len(notes) == 1, f"§{section}, {fact}: {place} have none that begins with {evidence!r}"
        return
    text = (SCENARIOS / f"{place}.toml").read_text(encoding="utf-8")
    assert tomllib.loads(text)["step"], place
    assert evidence in text, f"§{section}, {fact}: {place} does not show {evidence}"


def field_of(name: str) -> dict[str, str]:
    """Every word that `vercel` has in a field, by result and by reason."""
    (field,) = [one for one in load_dialect("vercel").fields if one.name == name]
    return {str(key): word for key, word in (*field.words.items(), *field.by_reason.items())}


def test_the_values_are_the_six_that_are_documented() -> None:
    assert set(field_of("x-vercel-cache").values()) == {"HIT", "MISS", "STALE", "PRERENDER", "REVALIDATED", "BYPASS"}
    assert {str(result) for result in Result} <= field_of("x-vercel-cache").keys()


def test_the_reasons_are_those_that_are_documented() -> None:
    """All ten and the label, but for the two that a note says."""
    said = field_of("x-vercel-cache-reason")
    assert set(said.values()) == {
        "cold", "collapsed", "vary_key_denied:cookie", "draft_mode", "prerender_bypass", "stale_time", "stale_tag",
        "stale_error", "Tag-based deletion",
    }  # fmt: skip
    assert load_dialect("vercel").rules.vary_denied == {"cookie"}, "the name stands in the reason"
    assert said.keys() <= {str(reason) for reason in Reason}
