"""What a user has seen of a ledger, its driver remembers; a ledger that shows less is refused."""

from __future__ import annotations

import json
import os
import shlex
import shutil
import stat
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from fractions import Fraction

import pytest

from dpsql.commands.check_ledger import check_ledger
from dpsql.errors import BudgetExceeded, LedgerError
from dpsql.ledger import Ledger
from dpsql.ledger.anchor import Anchor
from dpsql.ledger.database import path_of
from dpsql.ledger.remembered import Remembered
from dpsql.policy import load
from dpsql.reader import Reader, budget_and_past
from dpsql.session import Session

COUNT = "SELECT COUNT(*) FROM users"


@pytest.fixture(autouse=True)
def state(tmp_path, monkeypatch):
    """A user of our own; `DPSQL_STATE_DIR` set otherwise is another user."""
    monkeypatch.setenv("DPSQL_STATE_DIR", str(tmp_path / "state"))
    return tmp_path / "state"


def ask(path, analyst="alice", sql=COUNT):
    with closing(Session(path, analyst)) as session:
        return session.query(sql)


def refusal(call, *args):
    with pytest.raises(LedgerError) as caught:
        call(*args)
    assert caught.value.exit_code == 5
    return caught.value


@pytest.fixture
def used(place, tmp_path):
    """(policy, ledger file, a copy of the ledger before its newest charge)."""
    path = place(reuse="off")
    ask(path)
    file, old = tmp_path / "ledger.db", tmp_path / "old.db"
    shutil.copy(file, old)
    ask(path)
    return path, file, old


def lost_in(error):
    """The receipt that the refusal names, as `ledger accept --lost` takes it."""
    return next(word for word in error.hint.split() if word.count(":") == 2).strip("`")


def test_an_answer_carries_its_receipt(place):
    path = place(reuse="off")
    with closing(Session(path, "alice")) as session:
        first, second = session.query(COUNT).privacy, session.query(COUNT).privacy
        assert second.receipt.seq == first.receipt.seq + 2
        assert session.ledger.head() == (second.receipt.seq, second.receipt.head)
        for report in (first, second):
            assert session.ledger.verify(str(report.receipt)).ok
            assert report.to_json()["receipt"]["seq"] == report.receipt.seq


def test_a_free_answer_has_one_too(place):
    path = place()
    first, second = ask(path).privacy, ask(path).privacy
    assert second.free
    assert second.receipt == first.receipt


def test_it_is_kept_for_its_user_alone(used, state):
    files = [file for file in (state / "receipts").iterdir() if file.suffix == ".json"]
    assert len(files) == 2  # one for the ledger, one for the place
    for file in (state / "receipts").iterdir():
        assert stat.S_IMODE(file.stat().st_mode) == 0o600, file
    assert stat.S_IMODE((state / "receipts").stat().st_mode) == 0o700
    newest = max(json.loads(file.read_bytes().splitlines()[-1])["seq"] for file in files)
    assert newest == 7  # genesis, two budgets, two charges with their outcomes


def everyone(path):
    """Whoever opens the ledger, to charge or only to look."""
    policy = load(path)
    return [
        lambda: Session(path, "alice"),
        lambda: Reader(path, "alice"),
        lambda: budget_and_past(policy, "alice"),
    ]


def test_check_says_it_too(used):
    path, file, old = used
    for change, said in [
        (lambda: shutil.copy(old, file), "shows less"),
        (file.unlink, "is gone"),
        (lambda: Ledger.open(f"sqlite:///{file}").close(), "is not the one that lay there"),
    ]:
        change()
        found = [one for one in check_ledger(load(path)) if one.level == "error"]
        assert [said in one.message for one in found] == [True]


def test_an_older_copy_is_refused(used):
    path, file, old = used
    newer = file.read_bytes()
    shutil.copy(old, file)
    for look in everyone(path):
        error = refusal(look)
        assert error.code == "ledger-shows-less"
        assert "entry 7" in error.message
    assert file.read_bytes() == old.read_bytes()
    file.write_bytes(newer)
    ask(path)


def test_so_it_is_elsewhere(used, tmp_path):
    """The ledger is known by its name, wherever it lies."""
    path, _, old = used
    path.write_text(path.read_text().replace("ledger.db", "old.db"))
    assert refusal(ask, path).code == "ledger-shows-less"
    shutil.copy(tmp_path / "ledger.db", old)
    ask(path)


def test_a_branch_of_it_is_refused(used, monkeypatch, tmp_path):
    """Two ledgers that went on from one copy: whoever has seen one does not take the other."""
    path, file, old = used
    branch = tmp_path / "branch.yaml"
    branch.write_text(path.read_text().replace("ledger.db", "old.db"))
    monkeypatch.setenv("DPSQL_STATE_DIR", str(tmp_path / "another"))
    for _ in range(3):
        ask(branch)  # longer than the other, and a ledger that verifies
    monkeypatch.setenv("DPSQL_STATE_DIR", str(tmp_path / "state"))
    assert refusal(ask, branch).code == "ledger-shows-less"
    os.replace(old, file)
    assert refusal(ask, path).code == "ledger-shows-less"


def test_a_deleted_one_is_not_begun_anew(used):
    path, file, _ = used
    file.unlink()
    for look in everyone(path):
        assert refusal(look).code == "ledger-gone"
    file.touch()  # emptied is as good as deleted
    assert refusal(ask, path).code == "ledger-gone"
    assert file.read_bytes() == b""


def test_another_in_its_place_is_refused(used):
    path, file, _ = used
    file.unlink()
    Ledger.open(f"sqlite:///{file}").close()
    for look in everyone(path):
        assert refusal(look).code == "ledger-another"


def test_a_user_who_has_seen_nothing_cannot_tell(used, monkeypatch, tmp_path):
    """What receipts cannot do; signed checkpoints are for that."""
    path, file, old = used
    shutil.copy(old, file)
    monkeypatch.setenv("DPSQL_STATE_DIR", str(tmp_path / "another"))
    ask(path)


def test_other_data_have_another_file(used):
    path, file, _ = used
    file.unlink()
    path.write_text(path.read_text().replace("ledger.db", "other.db"))
    ask(path)


def test_in_memory_nothing_is_remembered(place, state):
    path = place()
    path.write_text(path.read_text().replace("sqlite:///ledger.db", "sqlite://"))
    ask(path)
    ask(path)
    assert not state.exists()


# ---- keeping ---------------------------------------------------------------------------------


def anchor(seq, *, accepted=0, ledger="ab" * 16):
    return Anchor(ledger, seq, f"{seq:064x}", accepted)


def test_older_news_never_replace_newer(tmp_path):
    path = str(tmp_path / "l.db")
    seen = Remembered(path)
    for given, kept in [(5, 5), (3, 5), (9, 9), (8, 9)]:
        seen.keep(anchor(given))
        assert Remembered(path).here() == anchor(kept)
    seen.keep(anchor(2, accepted=1))  # after an accepted loss the numbers begin lower
    seen.keep(anchor(11))
    assert Remembered(path).here() == anchor(2, accepted=1)


def test_many_writers_keep_the_newest(tmp_path):
    path = str(tmp_path / "l.db")
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda n: Remembered(path).keep(anchor(n * 37 % 101 + 1)), range(101)))
    assert Remembered(path).here() == anchor(101)
    assert not [file for file in (tmp_path / "state" / "receipts").iterdir()
                if file.suffix not in (".json", "") or file.name.endswith(".tmp")]  # fmt: skip


@pytest.mark.parametrize(
    "raw",
    [b"", b"\n", b"{}", b"{}\n", b"\xff", b"[]", b'{"accepted":0}',
     b'{"accepted":-1,"format":"dpsql-receipt-v1","head":"","ledger":"","seq":1}'],
)  # fmt: skip
def test_a_damaged_receipt_is_no_receipt_to_pass_by(used, state, raw):
    path, _, _ = used
    for file in (state / "receipts").glob("*.json"):
        whole = file.read_bytes()
        file.write_bytes(raw)
        error = refusal(ask, path)
        assert error.code == "receipt-unreadable"
        assert str(file) in error.message
        file.write_bytes(whole)
    ask(path)


def test_where_nothing_can_be_kept_queries_are_answered(place, monkeypatch, tmp_path, caplog):
    (tmp_path / "file").touch()
    monkeypatch.setenv("DPSQL_STATE_DIR", str(tmp_path / "file" / "below"))
    assert ask(place()).privacy.receipt.seq == 5
    assert caplog.text.count("warning: the receipt of an answer could not be kept") == 1
    assert "let DPSQL_STATE_DIR name a folder" in caplog.text


# ---- going on after a loss ---------------------------------------------------------------------


def command(path, *arguments, exit_code=0):
    from click.testing import CliRunner

    from dpsql.cli import main

    yes = ["--yes"] if arguments[:2] == ("ledger", "accept") else []
    said = CliRunner().invoke(main, [*arguments, *yes, "--policy", str(path)])
    assert said.exit_code == exit_code, said.output
    return said.stderr


def accept(path, error, *more):
    """What `dpsql ledger accept --lost` does, with all that the refusal names."""
    words = shlex.split(error.hint.partition("`")[2].partition("`")[0])
    assert words[:3] == ["dpsql", "ledger", "accept"]
    return command(path, *words[1:], "--no-other-grants", *more)


def lose(used, how):
    path, file, old = used
    if how == "older":
        shutil.copy(old, file)
    else:
        file.unlink()
        if how == "another":
            Ledger.open(f"sqlite:///{file}").close()
    return path, file


@pytest.mark.parametrize("how", ["older", "another", "gone"])
def test_an_accepted_loss_costs_every_budget_and_stands_in_the_chain(used, how):
    path, file = lose(used, how)
    said = accept(path, refusal(ask, path))
    assert "team:growth" in said
    with pytest.raises(BudgetExceeded):  # the total is spent, and so is whatever a budget held
        ask(path)
    with pytest.raises(BudgetExceeded):
        ask(path, "carol")
    with Ledger.audit(path_of_url(file)) as ledger:
        report = ledger.verify()
        assert report.ok
        assert "goes on without entry 7" in str(report)
        burned = [entry for entry in ledger.entries() if entry.kind == "accept"]
        assert len(burned) == 1
        assert {"total", "team:growth"} <= set(burned[0].body["burned"])
        assert ledger.spent("total").epsilon >= 1000
        assert ledger.spent("total").selection_delta >= Fraction(1, 10**4)
    # What the owner gives beyond it is a grant, in plain sight.
    raised = path.read_text().replace("epsilon: 50.0, delta: 1e-5", "epsilon: 150, delta: 1e-4")
    path.write_text(raised.replace("epsilon: 1000.0, delta: 1e-4", "epsilon: 3000, delta: 1e-3"))
    ask(path)


def path_of_url(file):
    assert path_of(f"sqlite:///{file}") == str(file)
    return f"sqlite:///{file}"


def test_others_who_saw_the_lost_part_go_on_after_it_was_accepted(used, monkeypatch, tmp_path):
    path, file, old = used
    monkeypatch.setenv("DPSQL_STATE_DIR", str(tmp_path / "bob"))
    ask(path, "bob")  # has seen more than alice
    monkeypatch.setenv("DPSQL_STATE_DIR", str(tmp_path / "state"))
    shutil.copy(old, file)
    accept(path, refusal(ask, path))
    monkeypatch.setenv("DPSQL_STATE_DIR", str(tmp_path / "bob"))
    # Bob's budget was opened in the lost part: nobody but he knows what it held.
    error = refusal(ask, path, "bob")
    assert error.code == "ledger-shows-less"
    assert "--held analyst:bob=50,1/100000" in error.hint
    monkeypatch.setenv("DPSQL_STATE_DIR", str(tmp_path / "state"))
    accept(path, error)
    monkeypatch.setenv("DPSQL_STATE_DIR", str(tmp_path / "bob"))
    with closing(Reader(path, "bob")):
        pass
    with pytest.raises(BudgetExceeded):
        ask(path, "bob")
    # A second loss is not covered by what was accepted of the first.
    shutil.copy(old, file)
    assert refusal(ask, path, "bob").code == "ledger-shows-less"


def test_nothing_is_accepted_that_is_there(used):
    _, file, _ = used
    with Ledger.open(path_of_url(file)) as ledger:
        seq, head = ledger.head()
        error = refusal(ledger.losses.accept, seq, head)
        assert error.code == "nothing-to-accept"
        assert ledger.head() == (seq, head)


def test_the_older_copy_before_the_acceptance_is_refused(used):
    path, file = lose(used, "older")
    before = file.read_bytes()
    accept(path, refusal(ask, path))
    file.write_bytes(before)
    assert refusal(ask, path).code == "ledger-shows-less"


def test_receipts_that_are_cut_off_twice_are_read_as_the_newest_whole_one(tmp_path):
    """A crash or a full disk, and another before anything more was written."""

    def receipt(number):
        return Anchor("a" * 32, number, "b" * 64, 0, ())

    def seen():
        return Remembered("/nowhere/ledger.db", tmp_path)

    file = tmp_path / f"{'a' * 32}.json"
    for number in (1, 2):
        seen().keep(receipt(number))
    file.write_bytes(file.read_bytes() + b'{"accepted":0,"fo')
    assert seen().of_ledger("a" * 32) == receipt(2)
    seen().keep(receipt(3))
    assert [json.loads(line)["seq"] for line in file.read_bytes().splitlines()] == [3]
    whole = len(file.read_bytes())
    seen().keep(receipt(4))
    told = file.read_bytes()
    for end in range(whole, len(told)):
        file.write_bytes(told[:end])
        assert seen().of_ledger("a" * 32) == receipt(3)
