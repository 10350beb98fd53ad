"""The page of a ledger in which a hostile analyst asked."""

from __future__ import annotations

import datetime as dt
from fractions import Fraction

import pytest

from dpsql.accountant.events import Laplace
from dpsql.history.summary import summary_of
from dpsql.ledger import Ledger, Priced
from dpsql.page.report import ledger_page

EVIL = "\u202eevil</script>"
TEXTS = (
    "SELECT COUNT(*) FROM persons /* </pre></script><img src=x onerror=alert(1)> */",
    "SELECT COUNT(*) FROM persons WHERE s = '\u202e\u05d0\u05d1 \x1b[31m \x07\x00 & <b>x</b>'"
    "\r\n--\ty",
    "SELECT COUNT(*) FROM persons -- ]]> --> <!-- &lt; &#x3c;script&#x3e; javascript:alert(1)",
    f"SELECT COUNT(*) FROM persons -- {'x' * 5_000}",
)
NOW = dt.datetime(2026, 11, 28, 12, 0, tzinfo=dt.UTC)


def made(ledger, *, expect_head=None, limit=Fraction(5)):
    """The page of a ledger as one text."""
    report = ledger.verify(expect_head)
    found = ledger_page(summary_of(ledger), report, name="ledger.db", now=NOW, against=expect_head)
    return "".join(found)


@pytest.fixture(scope="session")
def page_of():
    return made


@pytest.fixture
def hostile(tmp_path):
    """Grace, who is honest, and the other."""
    now = [1_764_547_200]
    with Ledger.open(f"sqlite:///{tmp_path / 'ledger.db'}", clock=lambda: now[0]) as ledger:
        for name, kind, epsilon in (
            ("analyst:grace", "analyst", 5),
            (f"analyst:{EVIL}", "default", 2),
            ("total", "total", 20),
        ):
            ledger.ensure_budget(name, kind, Fraction(epsilon), Fraction(1, 10**6))
        asked = [("grace", "SELECT health, COUNT(*) FROM persons GROUP BY 1")]
        asked += [(EVIL, text) for text in TEXTS]
        for place, (who, sql) in enumerate(asked):
            now[0] += 86_400
            price = Fraction(place + 1, 20), Fraction(1, 10**8)
            event = Laplace(noise_multiplier=1 / price[0])
            receipt = ledger.reserve(
                analyst=who,
                budget=f"analyst:{who}",
                total="total",
                aggregates=[Priced.of([event], f"f{place}", *price)],
                sql=sql,
                data_version="<i>1</i>",
            )
            ledger.settle(receipt, "released", ["ab" * 32])
        for text in TEXTS:
            ledger.refusals.note(
                analyst=EVIL, budget=f"analyst:{EVIL}", code="unit-in-result", sql=text
            )
        yield ledger
