"""What a browser sends: the heads of the requests, for wrk and for the look beforehand."""

HOST = "www.example.com"
AGENT = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36"

# Where this stands in a path or a field, every request has a number of its own.
NUMBER = "#"

Fields = tuple[tuple[str, str], ...]

BROWSER: Fields = (
    ("Host", HOST),
    ("sec-ch-ua", '"Chromium";v="140", "Not=A?Brand";v="24", "Google Chrome";v="140"'),
    ("sec-ch-ua-mobile", "?0"),
    ("sec-ch-ua-platform", '"Linux"'),
    ("Upgrade-Insecure-Requests", "1"),
    ("User-Agent", AGENT),
    ("Accept", "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,*/*;q=0.8"),
    ("Accept-Encoding", "gzip, deflate, br, zstd"),
    ("Accept-Language", "en-GB,en;q=0.9"),
)

EACH_ANOTHER: Fields = (
    *((name, f"{value} {NUMBER}" if name == "User-Agent" else value) for name, value in BROWSER),
    ("X-Request-Id", f"8d2f6c1e-{NUMBER}"),
)


def pieces(method: str, path: str, fields: Fields) -> list[str]:
    """The request as it goes over the wire, cut wherever its number belongs."""
    lines = [f"{method} {path} HTTP/1.1", *(f"{name}: {value}" for name, value in fields), "", ""]
    return "\r\n".join(lines).split(NUMBER)
