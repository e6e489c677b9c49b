"""What the live tests take from npm: installed once per lock file, built once per source (`make node`)."""

import hashlib
import os
import shutil
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path

import pytest

LIVE = Path(__file__).parent
APPS = LIVE / "apps"
CONFORMANCE = LIVE / "conformance"
VENDORS = LIVE / "vendors"
MISSING = "Node.js and npm are not installed: no real origins, no conformance suite"


def present() -> bool:
    return shutil.which("node") is not None and shutil.which("npm") is not None


def environment() -> dict[str, str]:
    return {**os.environ, "NEXT_TELEMETRY_DISABLED": "1", "NO_UPDATE_CHECK": "1", "NO_COLOR": "1"}


def need_node() -> None:
    """A missing tool fails where CI is set and skips elsewhere, with the reason in pytest's summary."""
    if present():
        return
    if os.environ.get("CI"):
        pytest.fail(MISSING)
    pytest.skip(MISSING)


def install(folder: Path) -> Path:
    """`npm ci`, unless this very lock file is installed already. Returns node_modules."""
    modules = folder / "node_modules"
    once(modules / ".stamp-lock", [folder / "package-lock.json"], ["npm", "ci"], folder)
    return modules


def build(folder: Path) -> None:
    """`npm run build`, unless these very sources are built already."""
    install(folder)
    made = {"node_modules", ".next"}
    sources = [path for path in folder.rglob("*") if path.is_file() and made.isdisjoint(path.relative_to(folder).parts)]
    once(folder / ".next" / ".stamp-source", sources, ["npm", "run", "build"], folder)


def once(stamp: Path, sources: Iterable[Path], command: list[str], folder: Path) -> None:
    """Run the command in the folder, unless it was for these very sources."""
    wanted = _fingerprint(sources)
    if stamp.exists() and stamp.read_text() == wanted:
        return
    done = subprocess.run(
        command,
        cwd=folder,
        env=environment(),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    if done.returncode:
        raise RuntimeError(f"{' '.join(command)} failed in {folder}:\n{done.stdout}")
    stamp.write_text(wanted)


def _fingerprint(paths: Iterable[Path]) -> str:
    digest = hashlib.sha256()
    for path in sorted(paths):
        digest.update(path.name.encode() + b"\0" + path.read_bytes())
    return digest.hexdigest()


def main() -> int:
    if not present():
        print(f"!! {MISSING}", file=sys.stderr)
        return 1 if os.environ.get("CI") else 0
    for folder in (CONFORMANCE, VENDORS, APPS / "serve", APPS / "vite", APPS / "next"):
        print(f"npm: {folder.relative_to(LIVE)}", flush=True)
        install(folder)
    build(APPS / "next")
    return 0


if __name__ == "__main__":
    sys.exit(main())
