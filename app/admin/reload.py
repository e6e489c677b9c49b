"""Read the settings again, and answer by them."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response

from app.admin.access import Access
from app.admin.operation import Operation
from app.admin.problems import Problem, answer
from app.altered import Reloaded
from app.config_error import ConfigError
from app.reloading import NotTakenUp


async def reload(access: Access, _request: Request) -> Response:
    """Once it has answered, every request that comes is answered by them, whichever process it comes to."""
    try:
        return answer(await access.desk.reload())
    except ConfigError as error:
        raise Problem(400, f"{error}; nothing has changed") from None
    except NotTakenUp as error:
        raise Problem(503, str(error)) from None


OPERATIONS = (
    Operation("POST", "/v1/reload", reload,
        "read the settings again and answer by them; what is stored stays", Reloaded, problems=(400, 503)),
)  # fmt: skip
