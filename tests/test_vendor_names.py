"""No vendor's name in the code: what a CDN does is data, in config/dialects. Comments and docstrings may cite them."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from app.dialects import dialect_names

APP = Path(__file__).parent.parent / "app"
# Whose business are the vendors' own purge calls.
VENDORS = APP / "admin" / "vendors"

# The dialects are named for them; the rest are those who have none, their owners, and what begins their field names.
NAMES = {
    *dialect_names(), "akamai", "amazon", "amz", "aws", "azure", "bunny", "caddy", "cloudflare", "cloudfront", "edgio",
    "fastly", "haproxy", "nextjs", "next.js", "/_next", "varnish", "vinyl", "xkey",
} - {"standard"}  # fmt: skip
_HUMP = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")
NAME = re.compile(rf"(?<![a-z])({'|'.join(map(re.escape, sorted(NAMES)))})(?![a-z])|(?<![a-z0-9])cf-", re.IGNORECASE)

# Where one may stand, as file, name and what it is there for.
ALLOWED = {
    ("settings_table.py", "vercel", "the default of the setting `dialect`"),
    ("demo.py", "vercel", "what the demo's pages tell their readers"),
    ("core/purging.py", "/_next", "where a framework, not a CDN, puts the data of its pages: purged with them by all"),
}


def spoken(tree: ast.AST) -> Iterator[str]:
    """Every identifier and every string of a module that is no docstring."""
    docstrings = {id(text) for node in ast.walk(tree) if (text := _docstring(node)) is not None}
    for node in ast.walk(tree):
        for part in vars(node).values():  # names of all kinds, and constants
            if id(node) in docstrings:
                continue
            if isinstance(part, bytes):
                yield part.decode("latin-1")
            elif isinstance(part, str):
                yield part


def _docstring(node: ast.AST) -> ast.Constant | None:
    if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef) and node.body:
        first = node.body[0]
        if isinstance(first, ast.Expr) and isinstance(first.value, ast.Constant) and isinstance(first.value.value, str):
            return first.value
    return None


def named(source: str) -> set[str]:
    """The vendors that a module names, in lower case."""
    return {match[0].lower() for text in spoken(ast.parse(source)) for match in NAME.finditer(_HUMP.sub(" ", text))}


def test_no_vendor_is_named_outside_data_and_documentation() -> None:
    files = [path for path in APP.rglob("*.py") if VENDORS not in path.parents]
    assert len(files) > 100
    found = {
        (path.relative_to(APP).as_posix(), name) for path in files for name in named(path.read_text(encoding="utf-8"))
    }
    assert found == {(file, name) for file, name, _ in ALLOWED}


@pytest.mark.parametrize(("source", "names"), [
    ('"""Varnish does so."""\n# nginx too\n', set()),
    ('def a():\n    """As Fastly."""\n', set()),
    ('if dialect == "vercel": pass', {"vercel"}),
    ("class MyCloudflareRules: pass", {"cloudflare"}),
    ("fastly_mode = 1", {"fastly"}),
    ("import app.akamai as other", {"akamai"}),
    ('headers["CF-Ray"]', {"cf-"}),
    ('b"x-amz-cf-id"', {"amz", "cf-"}),
    ('x = "/_next/data/"', {"/_next"}),
    ("def f(*, azure=1): ...", {"azure"}),
    ('x = "self-cf", "standard", "next_hop", "googled"', set()),
])  # fmt: skip
def test_what_counts_as_a_name(source: str, names: set[str]) -> None:
    assert named(source) == names
