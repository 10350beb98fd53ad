"""The owner's log `dpsql.owner`: what must not reach analysts, such as the engine's own words.

Silent and without propagation until the owner adds a handler of their own. A password is not even
there: `scrubbed` takes out what a server's or a driver's words repeat of a URL.
"""

from __future__ import annotations

import contextlib
import logging
import re
from urllib.parse import unquote, urlsplit

OWNER_LOG = logging.getLogger("dpsql.owner")
OWNER_LOG.addHandler(logging.NullHandler())
OWNER_LOG.propagate = False

_PASSWORD = re.compile(r"(password\s*=\s*)('(?:[^'\\]|\\.)*'|\S+)", re.IGNORECASE)


def log_server(what: str, problem: BaseException, url: str) -> None:
    """A server's words about a connection by this URL, for the owner alone."""
    OWNER_LOG.error("%s: %s", what, scrubbed(str(problem), url))


def scrubbed(text: str, url: str) -> str:
    """The text without the URL and its passwords."""
    text = text.replace(url, "the URL")
    for secret in _secrets(url):
        text = text.replace(secret, "***")
    return _PASSWORD.sub(r"\1***", text)


def _secrets(url: str) -> set[str]:
    found: set[str] = set()
    with contextlib.suppress(ValueError):
        parts = urlsplit(url)
        if parts.password:
            found |= {parts.password, unquote(parts.password)}
        for pair in parts.query.split("&"):
            name, _, value = pair.partition("=")
            if "password" in name.lower() and value:
                found |= {value, unquote(value)}
    return {secret for secret in found if secret}
