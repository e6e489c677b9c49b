"""The configuration and Lua files that lie here, with their @PLACES@ filled."""

import os
from pathlib import Path

HERE = Path(__file__).parent


def filled(path: str, **values: object) -> str:
    """`@NAME@` becomes the value of `name`."""
    text = (HERE / path).read_text()
    for name, value in values.items():
        text = text.replace(f"@{name.upper()}@", str(value))
    return text


def nginx_user() -> str:
    """Workers of root's nginx would become somebody who may not look into the folder; others have no choice."""
    return "user root;" if os.geteuid() == 0 else ""
