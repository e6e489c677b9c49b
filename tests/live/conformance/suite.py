"""http-cache-tests: its origin, a cache in front of it, its client; what came out as typed results."""

import json
import os
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from tests.live import node
from tests.live.processes import LOOPBACK, free_port, listening, running

HERE = Path(__file__).parent
ROOT = HERE.parents[2]
LISTENING = re.compile(r"Listening on (http://[\d.]+:\d+)/")
RULES = HERE / "swerve.toml"
SWERVE = f"{{python}} -m app {{origin}} --listen {{listen}} --admin {{admin}} --dialect standard --log off -c {RULES}"
"""Another cache can be measured by a command of this shape in SWERVE_CONFORMANCE_PROXY."""
TOGETHER = 100
RUN_TIMEOUT = 600

Kind = Literal["required", "optimal", "check"]
KINDS: tuple[Kind, ...] = ("required", "optimal", "check")


@dataclass(frozen=True, slots=True)
class Result:
    suite: str
    id: str
    kind: Kind
    name: str
    failure: str
    """Empty when passed; else the kind of failure: Assertion, Setup, or an exception's name."""
    message: str

    @property
    def passed(self) -> bool:
        return not self.failure

    @property
    def answer(self) -> str:
        """What a `check` found out: these tests ask, they do not demand."""
        return {"": "yes", "Assertion": "no"}.get(self.failure, self.failure.lower())


@contextmanager
def cache_under_test(*, dump: bool = False, memo: bool = True) -> Iterator[str]:
    """Start the suite's origin and the cache in front of it; yield the cache's URL; stop both."""
    node.install(HERE)
    with _origin(dump=dump) as origin, _cache(origin, memo=memo) as cache:
        yield cache


@contextmanager
def _origin(*, dump: bool) -> Iterator[str]:
    command = ["node", "--no-warnings", "origin.mjs"]
    with running(command, lambda text: LISTENING.search(text) is not None, folder=HERE) as server:
        found = LISTENING.search(server.printed)
        assert found is not None
        yield found[1]
        if dump:
            print(server.printed, file=sys.stderr)


@contextmanager
def _cache(origin: str, *, memo: bool) -> Iterator[str]:
    port, admin = free_port(), free_port()
    template = os.environ.get("SWERVE_CONFORMANCE_PROXY") or SWERVE
    command = template.format(
        python=shlex.quote(sys.executable),
        origin=origin,
        listen=f"{LOOPBACK}:{port}",
        admin=f"{LOOPBACK}:{admin}",
    )
    variables = {**os.environ, "SWERVE_MEMO": str(memo).lower()}
    with running(shlex.split(command), lambda _: listening(port), folder=ROOT, environment=variables):
        yield f"http://{LOOPBACK}:{port}"


def run(cache: str, ids: Sequence[str] = (), *, together: int = TOGETHER, dump: bool = False) -> list[Result]:
    """Run the named tests, or all 350, so many at a time."""
    done = subprocess.run(
        ["node", "--no-warnings", str(HERE / "client.mjs"), cache, str(together), *ids],
        cwd=HERE,
        env={**os.environ, "SWERVE_CONFORMANCE_DUMP": "1" if dump else ""},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=None if dump else subprocess.PIPE,
        text=True,
        timeout=RUN_TIMEOUT,
        check=False,
    )
    if done.returncode:
        raise RuntimeError(f"the suite's client ended with {done.returncode}: {done.stderr or ''}")
    return [Result(**row) for row in json.loads(done.stdout)]
