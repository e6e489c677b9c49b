"""What the figures were measured on."""

import os
import platform
import re
import subprocess
from collections.abc import Mapping
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path


def machine(programs: Mapping[str, str]) -> dict[str, str]:
    facts = {
        "date": f"{datetime.now(UTC).date()}",
        "CPU": _cpu(),
        "cores": f"{os.cpu_count()}",
        "kernel": f"{platform.system()} {platform.release()}",
        "Python": platform.python_version(),
        "uvicorn": version("uvicorn"),
    }
    flags = {"nginx": "-v", "varnish": "-V", "wrk": "-v"}
    return facts | {name: _version(program, flags[name]) for name, program in programs.items()}


def _cpu() -> str:
    found = re.search(r"^model name\s*:\s*(.+)$", Path("/proc/cpuinfo").read_text(), re.MULTILINE)
    return found[1] if found else platform.machine()


def _version(program: str, flag: str) -> str:
    """The first number with dots in what it says: wrk says it with its usage, and fails."""
    said = subprocess.run([program, flag], capture_output=True, text=True, check=False, timeout=10)
    found = re.search(r"\d+(\.\d+)+", said.stdout + said.stderr)
    return found[0] if found else "unknown"
