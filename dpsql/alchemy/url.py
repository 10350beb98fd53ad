"""A SQLAlchemy URL as arguments of `dpsql.connect`.

    dpsql:///policy.yaml?analyst=alice&epsilon=0.1&delta=1e-8     relative to the working directory
    dpsql:////etc/dpsql/policy.yaml?analyst=alice                 absolute
    dpsql://alice@/policy.yaml                                    the analyst as user name
    dpsql:///policy.yaml?analyst=alice&error=100&max_epsilon=1    accuracy in place of a price
    dpsql:///policy.yaml?analyst=alice&error=5%25&magnitude=20000 a percentage (%25 is %)

ε and δ are the price of each private query of the engine's connections, never a budget.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy.engine import URL

from dpsql.errors import InterfaceError

EXAMPLE = "dpsql:///path/to/dpsql.yaml?analyst=alice&epsilon=0.1"
AIMS = ("error", "confidence", "magnitude", "error_rows", "max_epsilon")
OPTIONS = ("analyst", "epsilon", "delta", *AIMS)


def connect_arguments(url: URL) -> dict[str, Any]:
    """policy, analyst, price and accuracy, as far as the URL names them.

    InterfaceError `bad-url` for anything else in it: a misspelt option must not be dropped.
    """
    if url.host or url.port or url.password:
        raise bad_url(
            "a gateway cannot be reached yet: the policy is a file here, without host or password"
        )
    given: dict[str, Any] = {}
    for name, value in url.query.items():
        if name not in OPTIONS:
            raise bad_url(f"{name!r} is not an option; {', '.join(OPTIONS)} are")
        if not isinstance(value, str) or not value:
            raise bad_url(f"{name} is given {'more than once' if value else 'no value'}")
        given[name] = value
    if url.username and given.setdefault("analyst", url.username) != url.username:
        raise bad_url("two analysts are named, as user and as option")
    if url.database:
        given["policy"] = url.database
    return given


def bad_url(why: str) -> InterfaceError:
    return InterfaceError(why, code="bad-url", hint=f"write {EXAMPLE}")
