"""One request with the very heads of a case, and what came back."""

import time
from dataclasses import dataclass
from email.message import Message
from http.client import HTTPConnection

from bench.heads import NUMBER, Fields


@dataclass(frozen=True, slots=True)
class Answer:
    status: int
    fields: Message
    body: bytes
    seconds: float

    @property
    def length(self) -> int:
        """What the body has, or what Content-Length promises where there is none."""
        return len(self.body) or int(self.fields.get("Content-Length", 0))


def ask(connection: HTTPConnection, method: str, path: str, fields: Fields, number: str = "look") -> Answer:
    started = time.monotonic()
    connection.putrequest(method, path.replace(NUMBER, number), skip_host=True, skip_accept_encoding=True)
    for name, value in fields:
        connection.putheader(name, value.replace(NUMBER, number))
    connection.endheaders()
    response = connection.getresponse()
    body = response.read()
    return Answer(response.status, response.headers, body, time.monotonic() - started)
