"""Views whose rows change though nothing is written: by the clock, by chance, by the session."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import Any

_TEXTS = (
    "SELECT view_name, sql FROM duckdb_views() WHERE NOT internal"
    " UNION ALL SELECT function_name, macro_definition FROM duckdb_functions()"
    " WHERE NOT internal AND macro_definition IS NOT NULL"
)
_QUOTED = re.compile(r"'(?:[^']|'')*'|\"(?:[^\"]|\"\")*\"")
_BARE = (
    r"\b(?:current_(?:date|time|timestamp|user)|localtime(?:stamp)?|tablesample|using\s+sample)\b"
)
_CALLS = (
    r"\b(?:now|today|ago|age|random|setseed|uuid(?:v\d)?|gen_random_uuid|nextval|currval|getvariable"
    r"|get_current_\w+|transaction_timestamp|txid_current|current_\w+|pg_\w+_time|sleep_ms)\s*\("
)
_MOVING = re.compile(f"{_BARE}|{_CALLS}", re.IGNORECASE)


def moving(query: Callable[[str], Sequence[Sequence[Any]]], view: str) -> str:
    """The word in a view of this name, or in what it reads, that makes its rows move; '' if none.

    By words, not by meaning: of two views of one name either counts, and age(a, b) counts as age(a)
    does. Views and macros that are named in the text are read, too.
    """
    texts = [(str(name).casefold(), str(sql)) for name, sql in query(_TEXTS)]
    reached, waiting = {view.casefold()}, [view.casefold()]
    while waiting:
        name = waiting.pop()
        for text in [sql for known, sql in texts if known == name]:
            found = _MOVING.search(_QUOTED.sub(" ", text))
            if found is not None:
                return found.group().rstrip("( \t\n")
            near = {other for other, _ in texts if _names(text, other)} - reached
            reached |= near
            waiting += near
    return ""


def _names(text: str, name: str) -> bool:
    return re.search(rf"(?<!\w){re.escape(name)}(?!\w)", text.casefold()) is not None
