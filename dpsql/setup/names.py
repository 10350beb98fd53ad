"""Names as SQL, a policy's path and its YAML spell them."""

from __future__ import annotations

import re

from dpsql.core.catalog import CatalogTable
from dpsql.errors import InterfaceError
from dpsql.policy.nodes import Where
from dpsql.policy.suggest import suggest
from dpsql.policy.unit_path import parse_unit
from dpsql.policy.yaml_nodes import plain_value

NOWHERE = Where(None)
"""The place of text that stands in no file yet."""

_ID = re.compile(r"([^\W\d_]{3,})_?(?:id|key|no|nr|number)\Z", re.IGNORECASE)
_WORD = re.compile(r"[^\W\d]\w*\Z")
_PLAIN_SCALAR = re.compile(r"[^\W\d]\w*( \w+)*\Z")


def sql_name(name: str) -> str:
    """An identifier in SQL's double quotes."""
    return '"' + name.replace('"', '""') + '"'


def path_name(name: str) -> str:
    """A name inside a unit path: quoted where it is not one word."""
    return name if _WORD.match(name) else sql_name(name)


def table_name(table: CatalogTable) -> str:
    """A table's key under `tables`: without the default schema, quoted where SQL would need it."""
    plain = table.unqualified or table.schema == "main"
    parts = [table.name] if plain else [table.schema, table.name]
    return ".".join(path_name(part) for part in parts)


def first_step(unit: str) -> tuple[str, tuple[str, ...]]:
    """A `unit:` value's own column, and the parts of the table it leads to, () for a bare one."""
    written = parse_unit(unit, NOWHERE)
    if not written.references:
        return written.column, ()
    return written.references[0].column, written.references[0].table


def scalar(text: str) -> str:
    """Text as a YAML scalar that is read back as this text, quoted unless that is plain."""
    if _PLAIN_SCALAR.match(text) and plain_value(text) == text:
        return text
    return '"' + "".join(_escaped(character) for character in text) + '"'


def _escaped(character: str) -> str:
    if character in '"\\':
        return f"\\{character}"
    return character if character.isprintable() else f"\\U{ord(character):08x}"


def singular(name: str) -> str:
    """A word for one of what a table lists: persons → person; for messages, and to guess
    keys that the owner confirms."""
    word = name.casefold()
    if word == "people":
        return "person"
    if word.endswith("ies") and len(word) > 4:
        return f"{word[:-3]}y"
    return word[:-1] if word.endswith("s") and not word.endswith("ss") else word


def unit_word(table: str, column: str) -> str:
    """A word for the unit: patient_id → patient, else persons → person, else `person`."""
    found = _ID.match(column)
    if found is not None:
        return found[1].casefold()
    word = singular(table)
    return word if word != table.casefold() else "person"


def unknown(what: str, name: str, known: object, *, flag: str) -> InterfaceError:
    """InterfaceError `init-name`: a flag names a table or column that is not there."""
    names = [str(one) for one in known] if isinstance(known, (list, tuple, dict, set)) else []
    return InterfaceError(
        f"{flag}: there is no {what} {name!r}",
        code="init-name",
        hint=suggest(name, names, what=what),
    )
