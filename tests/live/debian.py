"""Programs that live tests need from Debian's packages: installed where that is allowed."""

from __future__ import annotations

import functools
import os
import shutil
import subprocess
import sys

import pytest

# Servers lie where the path of an ordinary user does not lead.
PLACES = os.pathsep.join((os.environ.get("PATH", os.defpath), "/usr/sbin", "/sbin"))


@functools.cache
def program(name: str, package: str, without: str) -> str:
    """Where it is. Missing and not to be installed: a failure where CI is set, else a skip, which says what is not
    tested `without` it."""
    if (found := shutil.which(name, path=PLACES)) is not None:
        return found
    if os.geteuid() == 0 and shutil.which("apt-get") is not None:
        _install(package)
        if (found := shutil.which(name, path=PLACES)) is not None:
            return found
    missing = f"{name} is not installed (apt-get install {package}): {without} is not tested"
    if os.environ.get("CI"):
        pytest.fail(missing)
    pytest.skip(missing)


def _install(package: str) -> None:
    # A package would start a server of its own where it finds an init system: ours are the only ones that we want.
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive", "RUNLEVEL": "1"}
    for words in (["update"], ["install", "--yes", "--no-install-recommends", package]):
        subprocess.run(
            ["apt-get", "--quiet", *words], env=environment, stdin=subprocess.DEVNULL, stdout=sys.stderr, check=False
        )
