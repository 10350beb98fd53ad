"""`database:` of a Spark: `sc://host:15002/;use_ssl=true`, `spark://local[*]`.

Two parameters are dpsql's own, in either: `catalog` and `schema`, where names of tables begin.
"""

from __future__ import annotations

import os
import re
from dataclasses import dataclass, field
from urllib.parse import unquote

from dpsql.errors import PolicyError

_LOCAL = re.compile(r"local(\[(\d+|\*)(,\s*\d+)?\])?\Z")
_HOST = re.compile(r"[^/;@\s:]+|\[[0-9A-Fa-f:.]+\]")
_SECRET = ("token", "password", "secret", "authorization", "key")
_TOKEN = "SPARK_CONNECT_AUTHENTICATE_TOKEN"
"""Where pyspark looks for a token that the URL does not hold."""
OURS = ("catalog", "schema")


@dataclass(frozen=True, slots=True)
class Remote:
    """What pyspark is told, and `place`: the server without who asks it."""

    url: str = field(repr=False)
    place: str
    host: str
    port: int
    secrets: tuple[str, ...] = field(default=(), repr=False)


def read_local(url: str) -> str:
    """The master. PolicyError `database-url` for anything that is not this machine."""
    master = _split(url)[0].removeprefix("spark://").rstrip("/")
    if not _LOCAL.match(master):
        raise PolicyError(
            "spark:// is a Spark on this machine, and the URL names another",
            code="database-url",
            hint="write spark://local[*] for this machine, sc://host:15002 for a Spark Connect"
            " server, or pass a session: dpsql.connect(policy, engine=session)",
        )
    return master


def read_remote(url: str) -> Remote:
    """PolicyError `database-url` where the URL is none of Spark Connect's; it is never quoted."""
    head, pairs = _split(url)
    rest = head.removeprefix("sc://").rstrip("/")
    host, colon, port = rest.rpartition(":") if not rest.endswith("]") else (rest, "", "")
    host, port = (host, port) if colon else (rest, "15002")
    if not _HOST.fullmatch(host) or not port.isdigit() or not 0 < int(port) < 65536:
        raise _unread()
    theirs = [(name, value) for name, value in pairs if name not in OURS]
    told = "".join(f";{name}={value}" for name, value in theirs)
    secrets = {
        form
        for name, value in theirs
        for form in (value, unquote(value))
        if form and _is_secret(name)
    } | {os.environ.get(_TOKEN, "")} - {""}
    shown = f"sc://{host}:{port}/{told}"
    longest_first = tuple(sorted(secrets, key=len, reverse=True))
    return Remote(shown, f"sc:{host.lower()}:{port}", host.strip("[]"), int(port), longest_first)


def without_secrets(url: str) -> str:
    """The URL as a policy may hold it: pyspark takes a token from the environment, too."""
    head, *parameters = url.split(";")
    kept = [one for one in parameters if not _is_secret(one.partition("=")[0])]
    return ";".join([head, *kept])


def _is_secret(name: str) -> bool:
    return any(word in name.lower() for word in _SECRET)


def own_parameters(url: str) -> dict[str, str]:
    """`catalog` and `schema`, where the URL says them."""
    return {name: unquote(value) for name, value in _split(url)[1] if name in OURS}


def _split(url: str) -> tuple[str, list[tuple[str, str]]]:
    head, *parameters = url.split(";")
    pairs = []
    for one in parameters:
        if not one.strip():
            continue
        name, mark, value = one.partition("=")
        if not mark or not name.strip() or not value:
            raise _unread()
        pairs.append((name.strip(), value))
    return head, pairs


def _unread() -> PolicyError:
    return PolicyError(
        "the URL of the Spark Connect server cannot be read",
        code="database-url",
        hint="write it like sc://host:15002/;use_ssl=true",
    )
