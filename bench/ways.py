"""The ways in which Swerve can be run, and what each may cost a hit beside the plain one."""

from dataclasses import dataclass, replace

from app.dialects import dialect_names
from bench.cases import NAMED, Case

# An extension of files that CDNs store which go by it.
CASE: Case = replace(NAMED["hit-1k"], name="ways", path="/1k.css")
PLAIN = "standard"


@dataclass(frozen=True, slots=True)
class Way:
    """`most`: how much CPU a request it may take, as a multiple of what the plain way takes (the dialect `standard`,
    memory, one process); None where that is only told. {folder} in `flags` is one of its own."""

    name: str
    group: str
    flags: tuple[str, ...]
    dialect: str = PLAIN
    most: float | None = None


# The same once more says how exact the others are.
WAYS = (
    Way("the same", "dialects", ()),
    *(Way(name, "dialects", (), name, most=1.05) for name in dialect_names() if name != PLAIN),
    Way("--store ./folder", "stores", ("--store", "{folder}/store"), most=1 / 0.9),
    Way("--workers 2", "workers", ("--workers", "2"), most=1.15),
)
GROUPS = {
    "dialects": "every dialect beside standard",
    "stores": "a folder beside memory",
    "workers": "two workers on one core beside one process",
}
