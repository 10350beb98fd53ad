"""Elements as text. Whatever is not made here is escaped: SQL on the page is a stranger's."""

from __future__ import annotations

from collections.abc import Iterable
from html import escape

from dpsql.render.text import printable

VOID = frozenset(("meta", "br", "path", "rect", "line"))
"""Elements without an end tag (those of SVG are closed as in XML)."""


class Markup(str):
    """Text that is HTML already. Made by `tag` alone."""

    __slots__ = ()


Child = str | int | None | Iterable["Child"]
Attribute = str | int | float | bool | None


def tag(name: str, *children: Child, **attributes: Attribute) -> Markup:
    """An element. `class_` and `data_label` are written `class` and `data-label`.

    Text in children and attributes is escaped, its control and direction characters shown as
    escapes. An attribute that is None or False is left out, True stands without a value.
    """
    written = "".join(_attribute(key, value) for key, value in attributes.items())
    if name in VOID:
        return Markup(f"<{name}{written}/>")
    return Markup(f"<{name}{written}>{joined(*children)}</{name}>")


def joined(*children: Child) -> Markup:
    """Children one after the other, without an element around them."""
    return Markup("".join(_child(child) for child in children))


def style_sheet(css: str) -> Markup:
    """Our own style sheet, which is no stranger's text: nothing in it is escaped."""
    assert "<" not in css
    return Markup(f"<style>{css}</style>")


def _child(child: Child) -> str:
    match child:
        case None:
            return ""
        case Markup():
            return child
        case str():
            return escape(visible(child), quote=False)
        case int():
            return str(child)
        case _:
            return "".join(_child(one) for one in child)


def _attribute(key: str, value: Attribute) -> str:
    if value is None or value is False:
        return ""
    name = key.rstrip("_").replace("_", "-")
    return f" {name}" if value is True else f' {name}="{escape(visible(str(value)))}"'


def visible(text: str) -> str:
    """Line breaks as they are; all else that is invisible or turns text around as escapes."""
    return "\n".join(printable(line.replace("\t", "    ")) for line in text.split("\n"))
