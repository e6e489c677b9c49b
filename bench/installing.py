"""The programs that are measured and that measure: found, or installed where that is allowed."""

import os
import shutil
import subprocess
import sys
from collections.abc import Sequence

from bench.refusal import CannotRunError

# What each is called, and the Debian package that has it.
PROGRAMS = {"nginx": ("nginx", "nginx-light"), "varnish": ("varnishd", "varnish"), "wrk": ("wrk", "wrk")}
# Servers lie where the path of an ordinary user does not lead.
PLACES = os.pathsep.join((os.environ.get("PATH", os.defpath), "/usr/local/sbin", "/usr/sbin", "/sbin"))


def programs(peers: Sequence[str]) -> dict[str, str]:
    """Where each is that these peers need; nginx and wrk always, for the origin and the load."""
    needed = [name for name in PROGRAMS if name in {"nginx", "wrk", *peers}]
    missing = [PROGRAMS[name][1] for name in needed if _found(name) is None]
    if missing:
        _install(missing)
    return {name: path for name in needed if (path := _found(name))}


def _found(name: str) -> str | None:
    return shutil.which(PROGRAMS[name][0], path=PLACES)


def _install(packages: Sequence[str]) -> None:
    listed, command = ", ".join(packages), f"apt-get install {' '.join(packages)}"
    if os.geteuid() != 0 or shutil.which("apt-get") is None:
        raise CannotRunError(f"missing: {listed}. Install with: sudo {command}")
    print(f"installing {listed}", file=sys.stderr)
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    for words in (["update"], ["install", "--yes", "--no-install-recommends", *packages]):
        done = subprocess.run(
            ["apt-get", "--quiet", *words], env=environment, stdin=subprocess.DEVNULL, stdout=sys.stderr, check=False
        )
        if done.returncode != 0:
            raise CannotRunError(f"missing: {listed}, and apt-get {words[0]} failed. Install with: {command}")
