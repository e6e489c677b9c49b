"""What processes and their children used, as the kernel counts it: CPU time and peak memory."""

import os
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

TICKS = os.sysconf("SC_CLK_TCK")
PARENT, USER, SYSTEM = 1, 11, 12  # places in /proc/PID/stat, counted after the name


def families(roots: Iterable[int]) -> set[int]:
    """These processes and all that descend from them."""
    children: dict[int, list[int]] = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit() and (stat := _stat(int(entry.name))):
            children.setdefault(int(stat[PARENT]), []).append(int(entry.name))
    found: set[int] = set()
    waiting = list(roots)
    while waiting:
        pid = waiting.pop()
        found.add(pid)
        waiting += children.get(pid, [])
    return found


def cpu_seconds(roots: Iterable[int]) -> dict[int, float]:
    """By process, so that one that ends between two looks takes nothing away."""
    stats = {pid: _stat(pid) for pid in families(roots)}
    return {pid: (int(stat[USER]) + int(stat[SYSTEM])) / TICKS for pid, stat in stats.items() if stat}


def used(before: dict[int, float], after: dict[int, float]) -> float:
    return sum(seconds - before.get(pid, 0.0) for pid, seconds in after.items())


def peak_memory(roots: Iterable[int]) -> int:
    """Bytes: the most that was ever resident, summed. Memory that two of them share counts twice."""
    return sum(_peak(pid) for pid in families(roots))


def _peak(pid: int) -> int:
    with suppress(FileNotFoundError, ProcessLookupError):
        for line in Path(f"/proc/{pid}/status").read_text().splitlines():
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) * 1024
    return 0


def _stat(pid: int) -> list[str]:
    """Nothing when it has ended. The name before the last parenthesis may hold anything."""
    with suppress(FileNotFoundError, ProcessLookupError):
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return []
