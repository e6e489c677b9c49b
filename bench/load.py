"""One run of wrk: what it sends, and what it measured."""

import json
import resource
import subprocess
from dataclasses import dataclass
from pathlib import Path

from bench.cases import Case
from bench.cores import on_core
from bench.heads import Fields, pieces
from bench.ports import LOOPBACK
from bench.refusal import CannotRunError
from bench.templates import filled

MARK = "RESULT "


@dataclass(frozen=True, slots=True)
class Wrk:
    program: str
    core: int
    folder: Path


@dataclass(frozen=True, slots=True)
class Load:
    requests: int
    seconds: float
    received: int
    p50: int
    p99: int
    worst: int
    errors: int
    cpu: float


def script(case: Case, fields: Fields, token: str) -> str:
    """The Lua program of a run; its token makes the numbers of its requests unlike those of other runs."""
    # What JSON escapes, Lua reads in the same way.
    quoted = ", ".join(json.dumps(piece) for piece in pieces(case.method, case.path, fields))
    head = f'local TOKEN, PIECES = "{token}-", {{{quoted}}}\n'
    return head + filled(f"lua/{case.script}.lua") + filled("lua/done.lua")


def load(wrk: Wrk, case: Case, port: int, lua: str, seconds: int) -> Load:
    program = wrk.folder / "load.lua"
    program.write_text(lua)
    command = [wrk.program, "--threads", "1", "--connections", str(case.connections), "--duration", f"{seconds}s"]
    command += ["--script", str(program), f"http://{LOOPBACK}:{port}/"]
    before = _children_cpu()
    with on_core(wrk.core):
        process = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, start_new_session=True
        )
    try:
        printed = process.communicate(timeout=seconds + 30)[0].decode(errors="replace")
    except subprocess.TimeoutExpired as error:
        raise CannotRunError(f"wrk did not end {seconds + 30} s after its start") from error
    finally:
        process.kill()
        process.wait()
    return read(printed, _children_cpu() - before)


def read(printed: str, cpu: float) -> Load:
    for line in printed.splitlines():
        if line.startswith(MARK):
            told = json.loads(line.removeprefix(MARK))
            return Load(
                requests=told["requests"],
                seconds=told["microseconds"] / 1e6,
                received=told["bytes"],
                p50=told["p50"],
                p99=told["p99"],
                worst=told["worst"],
                errors=sum(told["errors"].values()),
                cpu=cpu,
            )
    raise CannotRunError(f"wrk did not say what it measured: {printed.strip()}")


def _children_cpu() -> float:
    """Of children that have ended: between two looks that is wrk alone."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime
