"""Every edit inside the chain is found; what a chain cannot find is found with a head kept away."""

from __future__ import annotations

import pytest
from ledger_cases import ask, budgets, charge_body, forge, insert, rows, tables, url

from dpsql.errors import LedgerError
from dpsql.ledger import Ledger, Release
from dpsql.ledger.chain import canonical, link, parse
from dpsql.ledger.verify import verify_rows


@pytest.fixture
def small(tmp_path):
    """A closed ledger file: genesis, two budgets, two charges, one outcome with a release."""
    path = tmp_path / "ledger.db"
    with Ledger.open(url(path)) as ledger:
        budgets(ledger)
        first = ask(ledger)
        ledger.settle(first, "released", releases=[Release("f1", b"noisy")])
        ask(ledger, "1/5")
    return path


def audit(path, expect_head=None):
    with Ledger.audit(url(path)) as ledger:
        return ledger.verify(expect_head)


def refused_code(path) -> str:
    with pytest.raises(LedgerError) as caught:
        Ledger.open(url(path))
    return caught.value.code


def test_untouched_ledger_verifies(small):
    report = audit(small)
    assert report.ok
    assert report.problems == ()
    assert report.entries == report.seq == 6
    assert report.open_entries == (6,)
    assert report.spent["alice"].epsilon == report.spent["total"].epsilon
    assert str(report.spent["alice"].epsilon) == "3/10"
    assert report.head in str(report)
    assert "cut off at the end" in str(report)


def test_every_byte_flip_in_the_entries_is_found(small):
    stored = rows(small)
    assert verify_rows(stored).ok
    for index, row in enumerate(stored):
        for column in (1, 2, 3):
            original = row[column]
            for place in range(len(original)):
                flipped = bytearray(original)
                flipped[place] ^= 1 << (place % 8)
                changed = [*stored]
                changed[index] = (*row[:column], bytes(flipped), *row[column + 1 :])
                assert not verify_rows(changed).ok, (index, column, place)
        for bit in range(8):
            changed = [*stored]
            changed[index] = (row[0] ^ 1 << bit, *row[1:])
            assert not verify_rows(changed).ok, (index, "seq", bit)


@pytest.mark.parametrize("junk", [None, "text", 7, 1.5])
def test_a_column_of_another_type_is_found(small, junk):
    stored = rows(small)
    for column in range(4):
        changed = [*stored]
        row = list(stored[2])
        row[column] = junk
        changed[2] = tuple(row)
        assert not verify_rows(changed).ok


def test_flips_in_the_file_itself_are_found_or_unreadable(small):
    """The same through the file: each flip in a stored body, and nothing is served on it."""
    whole = small.read_bytes()
    body = rows(small)[4][3]
    start = whole.index(body)
    for place in range(0, len(body), 97):
        flipped = bytearray(whole)
        flipped[start + place] ^= 0x10
        small.write_bytes(flipped)
        assert not audit(small).ok
        assert refused_code(small) == "ledger-broken"


def test_reordering_is_found(small):
    with tables(small) as connection:
        for a, b in ((4, 99), (5, 4), (99, 5)):
            connection.execute("UPDATE dpsql_entries SET seq = ? WHERE seq = ?", (b, a))
    assert not audit(small).ok
    assert refused_code(small) == "ledger-broken"


@pytest.mark.parametrize("seq", [1, 2, 4, 5])
def test_deletion_inside_is_found(small, seq):
    with tables(small) as connection:
        connection.execute("DELETE FROM dpsql_entries WHERE seq = ?", (seq,))
    assert not audit(small).ok
    assert refused_code(small) == "ledger-broken"


@pytest.mark.parametrize(
    ("index", "change"),
    [(0, {"ledger": "another"}), (3, {"sql": "SELECT 1"}), (4, {"outcome": "failed"})],
)
def test_an_edit_with_its_own_hash_made_right_is_found(small, index, change):
    """Whoever can compute SHA-256 still breaks the link of the next entry."""
    seq, prev, _, raw = rows(small)[index]
    edited = canonical({**parse(raw), **change})
    assert edited != raw
    with tables(small) as connection:
        connection.execute(
            "UPDATE dpsql_entries SET body = ?, hash = ? WHERE seq = ?",
            (edited, link(prev, edited), seq),
        )
    assert [p for p in audit(small).problems if "does not link" in p]
    assert refused_code(small) == "ledger-broken"


def test_deletion_with_renumbering_is_found(small):
    with tables(small) as connection:
        connection.execute("DELETE FROM dpsql_entries WHERE seq = 4")
        connection.execute("UPDATE dpsql_entries SET seq = seq - 1 WHERE seq > 4")
    assert not audit(small).ok


def test_an_emptied_ledger_is_refused(small):
    with tables(small) as connection:
        connection.execute("DELETE FROM dpsql_entries")
    assert not audit(small).ok
    assert refused_code(small) == "ledger-broken"


def test_cut_tail_shows_only_against_a_head_kept_elsewhere(small):
    head = audit(small).head
    with tables(small) as connection:
        connection.execute("DELETE FROM dpsql_entries WHERE seq = 6")
    assert audit(small).ok
    assert "only against a head kept elsewhere" in audit(small).limit
    assert not audit(small, head).ok
    assert not audit(small, f"6:{head}").ok


def test_a_rewritten_ledger_shows_only_against_a_head_kept_elsewhere(small):
    head = audit(small).head
    body = charge_body(small)
    with tables(small) as connection:
        connection.execute("DELETE FROM dpsql_entries WHERE seq = 6")
    forge(small, **{**body, "sql": "SELECT 1"})
    assert audit(small).ok
    assert not audit(small, head).ok


def test_an_earlier_head_is_a_prefix(small):
    early = rows(small)[3][2].hex()
    assert audit(small, early).ok
    assert audit(small, f"4:{early}").ok
    assert audit(small, early.upper()).ok
    assert not audit(small, f"5:{early}").ok


HEADS = [
    "",
    "x" * 64,
    "1:",
    "a" * 63,
    ":" + "a" * 64,
    "-1:" + "a" * 64,
    "9" * 5000 + ":" + "a" * 64,
]


@pytest.mark.parametrize("head", HEADS)
def test_a_head_that_is_none_is_refused(small, head):
    with pytest.raises(LedgerError) as caught:
        audit(small, head)
    assert caught.value.code == "bad-head"


def test_unknown_event_refuses_everything(small):
    body = charge_body(small)
    body["aggregates"][0]["events"][0]["event"] = {"event": "quantum_noise", "epsilon": "1"}
    running = Ledger.open(url(small))
    forge(small, **body)
    with running, pytest.raises(LedgerError) as caught:
        ask(running)
    assert caught.value.code == "unknown-event"
    assert refused_code(small) == "unknown-event"
    assert not audit(small).ok


def test_unknown_kind_refuses_everything(small):
    forge(small, kind="window", budget="alice")
    assert refused_code(small) == "unknown-entry"
    assert not audit(small).ok


def charge_with(body, **changes):
    return {**body, **changes}


def in_aggregate(body, **changes):
    body["aggregates"][0] |= changes
    return body


def negative_count(body):
    body["aggregates"][0]["events"][0]["count"] = -5
    return body


def zero_count(body):
    body["aggregates"][0]["events"][0]["count"] = 0
    return body


def negative_event(body):
    body["aggregates"][0]["events"][0]["event"] = {"event": "pure", "epsilon": "-1"}
    return body


def nan_event(body):
    body["aggregates"][0]["events"][0]["event"] = {"event": "pure", "epsilon": "NaN"}
    return body


def negative_record(body):
    body["charges"]["alice"]["pure"] = "-100"
    return body


@pytest.mark.parametrize(
    "spoil",
    [
        negative_count,
        zero_count,
        negative_event,
        nan_event,
        negative_record,
        lambda body: charge_with(body, aggregates=[]),
        lambda body: charge_with(body, budget="nobody", charges={}),
        lambda body: charge_with(body, extra="field"),
        lambda body: {key: value for key, value in body.items() if key != "sql"},
        lambda body: charge_with(body, time=1),
        lambda body: charge_with(body, kind="outcome"),
        lambda body: charge_with(body, kind="genesis"),
        lambda body: charge_with(body, epsilon="1/10"),
        lambda body: in_aggregate(body, epsilon="2/4"),
        lambda body: in_aggregate(body, fingerprint=["f1"]),
        lambda body: in_aggregate(body, extra="field"),
        lambda body: in_aggregate(body, events=[]),
        lambda body: charge_with(body, aggregates=["x"]),
        lambda body: charge_with(body, analyst=5),
        lambda body: charge_with(body, process=["x"]),
    ],
)
def test_a_forged_charge_is_refused(small, spoil):
    """A right hash does not make an entry right: no refund, no free charge, no unknown field."""
    forge(small, **spoil(charge_body(small)))
    assert refused_code(small) == "ledger-broken"
    assert not audit(small).ok


def test_a_recorded_charge_below_its_price_is_found(small):
    body = charge_body(small)
    body["charges"]["alice"]["pure"] = "1"
    forge(small, **body)
    assert any("below" in problem for problem in audit(small).problems)
    with Ledger.open(url(small)) as ledger:  # the recorded figure is never used for spend
        assert str(ledger.spent("alice").epsilon) == "1/2"


def test_spending_beyond_the_budget_is_found(small):
    for _ in range(40):
        forge(small, **charge_body(small))
    report = audit(small)
    assert any("more than budget 'alice' admits" in problem for problem in report.problems)
    with Ledger.open(url(small)) as ledger, pytest.raises(Exception, match="does not cover"):
        ask(ledger)


def test_a_second_outcome_and_an_outcome_of_nothing_are_found(small):
    forge(small, kind="outcome", charge=4, outcome="failed", releases=[])
    assert not audit(small).ok
    assert refused_code(small) == "ledger-broken"


def test_changed_orders_are_found(small):
    terms = next(parse(body) for *_, body in rows(small) if parse(body)["kind"] == "budget")
    terms["terms"]["orders"] = ["2", "3", "4"]
    forge(small, **{**terms, "kind": "grant"})
    assert not audit(small).ok
    assert refused_code(small) == "ledger-broken"


def test_not_the_canonical_text_is_found(small):
    """The same object in another spelling, with the hash of that spelling."""
    seq, _, head, last = rows(small)[-1]
    raw = canonical({**parse(last), "seq": seq + 1}).replace(b'":', b'": ', 1)
    insert(small, (seq + 1, head, link(head, raw), raw))
    assert not audit(small).ok
    assert refused_code(small) == "ledger-broken"


def test_a_fork_cannot_be_stored(small):
    import sqlite3

    _, prev, digest, body = rows(small)[-1]
    with pytest.raises(sqlite3.IntegrityError):
        insert(small, (7, prev, digest, body))


@pytest.mark.parametrize("value", [0.5, float("nan"), None, True, b"x", {1: "a"}])
def test_canonical_text_has_no_floats(value):
    with pytest.raises(TypeError):
        canonical({"kind": [value]})


def test_canonical_text_of_any_string_round_trips():
    body = {"sql": "SELECT 'é\ud800\x00\U0001f600'", "n": -(10**30), "list": [[], {}]}
    assert parse(canonical(body)) == body


@pytest.mark.parametrize(
    "raw", [b"", b"[]", b"1", b'{"a":1.0}', b'{"a":NaN}', b'{"a":1,"a":1}', b"[" * 100000, b"\xff"]
)
def test_anything_else_is_no_body(raw):
    with pytest.raises(LedgerError):
        parse(raw)
