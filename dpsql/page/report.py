"""The whole page: one file that opens from disk, without network or script."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator

from dpsql import __version__
from dpsql.history.filters import moment
from dpsql.history.summary import Summary, collusion
from dpsql.ledger import Report
from dpsql.page import sections
from dpsql.page.html import Markup, joined, style_sheet, tag
from dpsql.page.style import CSS, digest

POLICY = (
    f"default-src 'none'; style-src '{digest(CSS)}'; base-uri 'none'; form-action 'none'"
)  # fmt: skip


def ledger_page(
    summary: Summary, report: Report, *, name: str, now: dt.datetime, against: str | None = None
) -> Iterator[str]:
    """The page's text, part by part. `name`: the ledger's; `against`: the head it was held to."""
    title = f"Privacy ledger {name}"
    yield "<!DOCTYPE html>\n"
    yield '<html lang="en">\n'
    yield tag(
        "head",
        tag("meta", charset="utf-8"),
        tag("meta", http_equiv="Content-Security-Policy", content=POLICY),
        tag("meta", name_="referrer", content="no-referrer"),
        tag("meta", name_="viewport", content="width=device-width, initial-scale=1"),
        tag("title", title),
        style_sheet(CSS),
    )
    yield "\n<body>\n"
    yield tag("header", tag("h1", title), tag("p", _span(summary, now), class_="soft"))
    yield "\n<main>\n"
    for part in _parts(summary, report, against):
        yield part
        yield "\n"
    yield "</main>\n"
    yield tag("footer", _about())
    yield "\n</body>\n</html>\n"


def _parts(summary: Summary, report: Report, against: str | None) -> Iterator[Markup]:
    yield sections.verification(report, against)
    if summary.stopped is not None:
        told = f"The figures end after {summary.entries:,} entries: {summary.stopped}."
        yield tag("section", tag("h2", "Not all of it could be read"), tag("p", told), class_="bad")
    yield sections.tiles(summary)
    yield sections.together(collusion(summary))
    yield sections.over_time(summary)
    yield sections.budgets(summary)
    yield sections.tables(summary)
    yield sections.refusals(summary.refusals)
    yield sections.largest(summary)
    yield sections.outcomes(summary)


def _span(summary: Summary, now: dt.datetime) -> Markup:
    written = sections.whole(f"{now:%Y-%m-%d %H:%M} UTC")
    if summary.first is None or summary.last is None:
        return joined("No budget was opened yet; written ", written, ".")
    first, last = (
        sections.whole(f"{moment(time):%Y-%m-%d}") for time in (summary.first, summary.last)
    )
    return joined("Entries from ", first, " to ", last, "; written ", written, ".")


def _about() -> Markup:
    return tag(
        "p",
        "ε (epsilon) says how much answers may tell about any one person, δ (delta) with what"
        " chance that may fail; smaller is more private. Spending is not additive: several"
        " queries together amount to less than their sum. All figures come from what was paid"
        f" for, none from the data. Written by dpsql {__version__}.",
    )
