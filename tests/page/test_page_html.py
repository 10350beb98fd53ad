"""The page: what strangers wrote stays text, nothing is fetched, every picture has its numbers."""

from __future__ import annotations

import re
import sqlite3
from contextlib import closing
from fractions import Fraction
from html import unescape
from html.parser import HTMLParser

import pytest

from dpsql.ledger import Ledger
from dpsql.page.html import Markup, joined, tag, visible
from dpsql.page.report import POLICY
from dpsql.page.sections import MOST
from dpsql.page.style import CSS, digest

ALLOWED = set(
    "html head meta title style body header main footer section h1 h2 h3 p b span div dl dt dd"
    " table thead tbody tr th td details summary figure figcaption svg path rect line code pre"
    " bdi ul li".split()
)
ATTRIBUTES = {
    *("class", "lang", "charset", "name", "content", "http-equiv", "scope", "data-label", "role"),
    *("viewbox", "preserveaspectratio", "aria-hidden", "d", "x", "y", "x1", "x2", "y1", "y2"),
    *("width", "height"),
}
VOID = {"meta", "path", "rect", "line"}


class Reader(HTMLParser):
    """What a browser would make of it: elements in order, their attributes, the nesting."""

    def __init__(self, text):
        super().__init__(convert_charrefs=True)
        self.elements, self.texts, self.open = [], [], []
        self.feed(text)
        self.close()

    def handle_starttag(self, name, attributes):
        self.elements.append((name, dict(attributes)))
        if name not in VOID:
            self.open.append(name)

    def handle_endtag(self, name):
        assert self.open.pop() == name

    def handle_startendtag(self, name, attributes):
        self.elements.append((name, dict(attributes)))

    def handle_data(self, data):
        self.texts.append((self.open[-1] if self.open else "", data))

    def handle_comment(self, data):
        raise AssertionError(f"a comment: {data}")


def test_nothing_a_stranger_wrote_is_an_element(hostile, page_of):
    read = Reader(page_of(hostile))
    assert read.open == []
    assert {name for name, _ in read.elements} <= ALLOWED
    assert {key for _, attributes in read.elements for key in attributes} <= ATTRIBUTES
    told = "".join(text for place, text in read.texts if place == "bdi")
    for words in ("</pre></script><img src=x onerror=alert(1)>", "<b>x</b>", "]]> --> <!--"):
        assert words in told  # shown, not taken out


def test_no_control_or_direction_character_is_left(hostile, page_of):
    page = page_of(hostile)
    assert all(c.isprintable() or c == "\n" for c in page)
    assert "\\u202e" in page
    assert "\\x1b[31m \\x07\\x00" in page


def test_a_long_statement_is_cut(hostile, page_of):
    page = page_of(hostile)
    assert "x" * 1_000 in page
    assert "x" * 1_600 not in page


def test_nothing_is_fetched_and_no_script_runs(hostile, page_of):
    page = page_of(hostile)
    read = Reader(page)
    policies = [a["content"] for n, a in read.elements if n == "meta" and "http-equiv" in a]
    assert policies == [POLICY]
    assert POLICY.startswith("default-src 'none'; style-src 'sha256-")
    (css,) = [text for place, text in read.texts if place == "style"]
    assert css == CSS
    assert digest(css) in POLICY
    assert "url(" not in css
    assert "@import" not in css
    assert not any(key.startswith("on") or key in ("src", "href", "style")
                   for _, attributes in read.elements for key in attributes)  # fmt: skip


def test_every_picture_has_a_title_or_its_number_beside_it(hostile, page_of):
    page = page_of(hostile)
    curves = re.findall(r"<figure>.*?</figure>", page, re.DOTALL)
    assert len(curves) == 3
    for figure in curves:
        assert '<svg class="curve" role="img"' in figure
        assert re.search(r"<title>[^<]+: \d+ % of ε = \d+ used by 2025-12-0\d</title>", figure)
        assert "<details><summary>as a table</summary>" in figure
        assert len(re.findall("<tr>", figure)) > 2
    bars = re.findall(r"<svg[^>]*bar[^>]*>", page)
    assert bars
    assert all('aria-hidden="true"' in bar for bar in bars)


def test_every_cell_of_a_table_has_its_name_for_the_phone(hostile, page_of):
    read = Reader(page_of(hostile))
    unnamed = [a for n, a in read.elements if n == "td" and a and "data-label" not in a]
    assert all(a == {"class": "graph"} for a in unnamed)
    assert [a.get("lang") for n, a in read.elements if n == "html"] == ["en"]


def test_light_dark_phone_and_paper_have_their_rules():
    for rule in ("prefers-color-scheme: dark", "max-width: 640px", "@media print"):
        assert rule in CSS


def _contrast(one, other):
    """WCAG 2.1's contrast of two colours #rrggbb."""

    def light(colour):
        parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
        linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in parts]
        return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]

    high, low = sorted((light(one), light(other)), reverse=True)
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize("mode", [0, 1], ids=["light", "dark"])
def test_text_has_contrast(mode):
    block = re.findall(r":root \{(.*?)\}", CSS, re.DOTALL)[mode]
    colours = dict(re.findall(r"--([a-z-]+): (#[0-9a-f]{6})", block))
    for ink, grounds in {
        "ink": ("page", "card", "good-page", "bad-page"),
        "soft": ("page", "card"),
        "good": ("good-page",),
        "bad": ("bad-page",),
    }.items():
        for ground in grounds:
            assert _contrast(colours[ink], colours[ground]) >= 4.5, (ink, ground)
    for shape in ("curve", "limit"):  # what is no text needs 3
        assert _contrast(colours[shape], colours["card"]) >= 3


# --- what it says ---


def text_of(page):
    return unescape(re.sub(r"<[^>]+>", " ", page.split("<body>")[1]))


def test_the_verdict_comes_first(hostile, page_of):
    seq, head = hostile.head()
    text = text_of(page_of(hostile))
    assert "✓ The ledger verifies" in text[:400]
    assert f"{seq}:{head}" in text
    assert "keep this one" in text
    assert "It continues the head that was kept" in page_of(hostile, expect_head=head)


def test_a_broken_ledger_is_called_so(hostile, page_of, tmp_path):
    hostile.close()
    path = tmp_path / "ledger.db"
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("DELETE FROM dpsql_entries WHERE seq = 5")
    with Ledger.audit(f"sqlite:///{path}") as ledger:
        text = text_of(page_of(ledger))
    assert "✗ The ledger does not verify: 3 problems" in text
    assert "entry 6: follows entry 4" in text
    assert "Not all of it could be read" in text
    assert "Do not rely on the figures below" in text
    assert "keep this one" not in text


def test_the_worst_case_in_plain_words(hostile, page_of):
    text = " ".join(text_of(page_of(hostile)).split())
    assert "together: differential privacy with ε = 0.75 , δ = 1e-06 ." in text
    assert "by a factor of at most 2.12, but for a chance of 1 in 1,000,000" in text
    assert "never exceeds ε = 20 , δ = 1e-06" in text


def test_refusals_are_said_to_be_counts_beside_the_chain(hostile, page_of):
    text = " ".join(text_of(page_of(hostile)).split())
    assert "Refused queries cost nothing and are not entries of the chain" in text
    assert "unit-in-result 4 2025-12-06" in text


def test_an_empty_ledger_has_a_page(page_of):
    with Ledger.open("sqlite://") as ledger:
        text = " ".join(text_of(page_of(ledger)).split())
    for words in ("No budget was opened yet", "None counted", "nothing about anybody", "None yet"):
        assert words in text


def test_many_budgets_are_cut_and_said_to_be(page_of):
    with Ledger.open("sqlite://") as ledger:
        for number in range(MOST + 5):
            ledger.ensure_budget(f"analyst:a{number}", "default", Fraction(1), Fraction(1, 10**6))
        page = page_of(ledger)
    assert page.count("<figure>") == MOST
    assert "5 more budgets not shown." in page


# --- the writer ---


def test_tag_escapes_what_is_not_its_own():
    inner = tag("b", "<&>", x_y='"<')
    assert inner == '<b x-y="&quot;&lt;">&lt;&amp;&gt;</b>'
    assert tag("p", inner, None, 3, [inner, "a"]) == f"<p>{inner}3{inner}a</p>"
    assert (
        tag("meta", charset="utf-8", hidden=True, other=False) == '<meta charset="utf-8" hidden/>'
    )
    assert isinstance(joined("<"), Markup)
    # text made from markup is a stranger's again
    assert tag("p", inner + "").startswith("<p>&lt;b x-y=")


@pytest.mark.parametrize(
    ("text", "shown"),
    [("a\nb", "a\nb"), ("a\tb", "a    b"), ("\u2066x\u200b", "\\u2066x\\u200b"), ("é 好", "é 好")],
)
def test_visible(text, shown):
    assert visible(text) == shown
