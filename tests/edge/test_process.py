"""What a process is made ready by, seen from outside it."""

from __future__ import annotations

import subprocess
import sys

import pytest

# Answers of one turn of the loop, made and gone again, turn after turn; then, how many pages the kernel had to make.
TURNS = """
import resource
from app.process import keep_memory
{ready}
before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
for _ in range(200):
    answers = [bytes([65]) * 10_000 for _ in range(64)]
    answers.clear()
print(resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before)
"""


def pages_made(ready: str) -> int:
    run = subprocess.run(
        [sys.executable, "-c", TURNS.format(ready=ready)], capture_output=True, check=True, text=True, timeout=60
    )
    return int(run.stdout)


@pytest.mark.skipif(sys.platform != "linux", reason="it is glibc that gives memory back")
def test_memory_that_is_free_again_is_kept() -> None:
    ready, unready = pages_made("keep_memory()"), pages_made("")
    assert ready < 1_000
    assert unready > 10 * ready, "it would have been given back otherwise"
