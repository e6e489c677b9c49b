"""A Dockerfile as data, and its build stage done in a folder: no Docker needed to see that the recipe works."""

import json
import os
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

CACHE_AGAIN = re.compile(r" --no-cache-dir\b")
"""An image keeps no cache of pip's; a test run does, to be quick."""


@dataclass(frozen=True, slots=True)
class Instruction:
    keyword: str
    argument: str

    @property
    def words(self) -> list[str]:
        """The exec form `["a", "b"]` and the plain one alike, without options."""
        if self.argument.startswith("["):
            return [str(word) for word in json.loads(self.argument)]
        return [word for word in shlex.split(self.argument) if not word.startswith("--")]


Stage = Sequence[Instruction]


def read(path: Path) -> list[Stage]:
    """The stages, each starting with its FROM."""
    text = re.sub(r"^#.*\n", "", path.read_text(), flags=re.MULTILINE).replace("\\\n", " ")
    instructions = [Instruction(*line.split(maxsplit=1)) for line in text.splitlines() if line.strip()]
    starts = [index for index, instruction in enumerate(instructions) if instruction.keyword == "FROM"]
    return [instructions[start:end] for start, end in zip(starts, [*starts[1:], None], strict=True)]


def environment(stage: Stage) -> dict[str, str]:
    pairs = [word for instruction in stage if instruction.keyword == "ENV" for word in instruction.words]
    return dict(pair.split("=", 1) for pair in pairs)


def copied(stage: Stage) -> Iterator[tuple[list[str], str]]:
    """What COPY takes from the checkout: sources and destination."""
    for instruction in stage:
        if instruction.keyword == "COPY" and "--from=" not in instruction.argument:
            *sources, destination = instruction.words
            yield sources, destination


def perform(stage: Stage, checkout: Path, root: Path) -> None:
    """Do a stage below `root`, whose `base` is to the stage what the base image's Python is."""
    subprocess.run([sys.executable, "-m", "venv", str(root / "base")], check=True)
    folder = root
    for instruction in stage:
        match instruction.keyword:
            case "WORKDIR":
                folder = root / instruction.argument.lstrip("/")
                folder.mkdir(parents=True, exist_ok=True)
            case "COPY":
                *sources, destination = instruction.words
                _copy([checkout / source for source in sources], folder / destination)
            case "RUN":
                _run(instruction.argument, folder, root)
            case _:
                pass


def _copy(sources: Sequence[Path], destination: Path) -> None:
    for source in sources:
        if source.is_dir():
            shutil.copytree(source, destination, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(source, destination)


def _run(command: str, folder: Path, root: Path) -> None:
    command = CACHE_AGAIN.sub("", command.replace("/opt/", f"{root}/opt/"))
    done = subprocess.run(
        ["/bin/sh", "-c", command],
        cwd=folder,
        env=with_path(root / "base/bin", {"PIP_DISABLE_PIP_VERSION_CHECK": "1"}),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    assert done.returncode == 0, f"RUN {command}\n{done.stdout}"


def with_path(first: Path, more: Mapping[str, str]) -> dict[str, str]:
    """This process's environment with `first` in front of PATH, without its settings and its virtual environment."""
    own = {"VIRTUAL_ENV", "PYTHONPATH"}
    plain = {name: value for name, value in os.environ.items() if name not in own and not name.startswith("SWERVE_")}
    return {**plain, **more, "PATH": f"{first}{os.pathsep}{os.environ['PATH']}"}
