"""A grant that is lost with its ledger, from the command line: counted by whoever knows of it."""

from __future__ import annotations

import shutil
from contextlib import closing

import pytest
from test_receipts import accept, command, refusal

from dpsql.errors import BudgetExceeded
from dpsql.ledger import Ledger
from dpsql.session import Session

COUNT = "SELECT COUNT(*) FROM users"


@pytest.fixture(autouse=True)
def who(tmp_path, monkeypatch):
    """`who("alice")`: from now on this user acts."""

    def act(name):
        monkeypatch.setenv("DPSQL_STATE_DIR", str(tmp_path / f"state-{name}"))

    act("owner")
    return act


@pytest.fixture
def lost(place, tmp_path, who):
    """`lost(by)`: a ledger put back to before a grant of 2 to alice, whose answer came after it."""
    path, file, old = place(reuse="off"), tmp_path / "ledger.db", tmp_path / "old.db"
    policy = path.read_text().replace("  teams:", "  analysts:\n    alice: {epsilon: 3.0, "
                                      "delta: 1e-5}\n  teams:")  # fmt: skip
    path.write_text(policy)

    def lose(by):
        who("alice")
        ask(path)
        shutil.copy(file, old)
        who(by)
        command(path, "budget", "grant", "alice", "--epsilon", "2", "--why", "w", "--by", "o")
        who("alice")
        ask(path)
        shutil.copy(old, file)
        return path, refusal(ask, path)

    return lose


def ask(path):
    with closing(Session(path, "alice")) as session:
        return session.query(COUNT)


def burned(path):
    with Ledger.audit(f"sqlite:///{path.parent / 'ledger.db'}") as ledger:
        assert ledger.verify().ok
        entry = [entry for entry in ledger.entries() if entry.kind == "accept"][-1]
    return {name: one[0]["event"]["epsilon"] for name, one in entry.body["burned"].items()}


def test_who_granted_it_counts_it_without_being_told(lost, who):
    path, error = lost("owner")
    who("owner")
    lost_alone = error.hint.partition("--lost ")[2].split()[0].strip("`")
    command(path, "ledger", "accept", "--lost", lost_alone, "--no-other-grants")
    assert burned(path)["analyst:alice"] == "5"
    who("alice")
    with pytest.raises(BudgetExceeded):
        ask(path)


def test_who_knows_nothing_of_it_is_told_by_the_receipt(lost, who):
    path, error = lost("another owner")
    assert "--held analyst:alice=5,1/100000" in error.hint
    who("owner")
    lost_alone = error.hint.partition("--lost ")[2].split()[0].strip("`")
    command(path, "ledger", "accept", "--lost", lost_alone, "--no-other-grants")
    assert burned(path)["analyst:alice"] == "3"
    who("alice")
    again = refusal(ask, path)  # three is not what she was answered under
    assert again.code == "ledger-shows-less"
    who("owner")
    accept(path, again)
    # At least 5; the first acceptance, on which nothing was admitted yet, might be lost itself.
    assert burned(path)["analyst:alice"] == "6"
    who("alice")
    with pytest.raises(BudgetExceeded):
        ask(path)


def test_the_owner_may_say_it(lost, who):
    path, error = lost("another owner")
    who("owner")
    words = error.hint.partition("--lost ")[2].split()
    said = command(
        path, "ledger", "accept", "--lost", words[0], "--held", "analyst:alice=7,1e-5",
        "--held", "analyst:eve=2,1e-6", "--no-other-grants",
    )  # fmt: skip
    assert "analyst:eve" in said
    assert burned(path) == {
        "analyst:alice": "7", "analyst:eve": "50", "team:growth": "3", "total": "1000",
    }  # fmt: skip


def test_a_checkpoint_says_it(lost, who, tmp_path, place):
    """Signed between grant and loss, by an owner whose receipts are gone."""
    who("alice")
    path = place(reuse="off")
    file, old = tmp_path / "ledger.db", tmp_path / "old.db"
    path.write_text(path.read_text() + "checkpoints: apart\n")
    ask(path)
    shutil.copy(file, old)
    who("another owner")
    with closing(Session(path, "alice")):
        pass
    command(path, "budget", "grant", "alice", "--epsilon", "2", "--why", "w", "--by", "o")
    who("owner")
    command(path, "ledger", "checkpoint")
    who("alice")
    ask(path)
    error = None
    shutil.copy(old, file)
    error = refusal(ask, path)
    who("owner")
    shutil.rmtree(tmp_path / "state-owner" / "receipts", ignore_errors=True)
    words = error.hint.partition("--lost ")[2].split()
    command(path, "ledger", "accept", "--lost", words[0].strip("`"), "--no-other-grants")
    assert burned(path)["analyst:alice"] == "52"


@pytest.mark.parametrize(
    ("held", "said"),
    [
        ("alice=5,1e-6", "no budget"),  # whose? a person, a team
        ("analyst:alice=5", "no budget"),
        ("analyst:alice=0,1e-6", "no budget"),
        ("analyst:alice=nan,1e-6", "no budget"),
        ("default:x=1,1e-6", "no budget"),
    ],
)
def test_what_a_budget_held_is_read_strictly(lost, held, said):
    path, error = lost("owner")
    words = error.hint.partition("--lost ")[2].split()
    arguments = ("ledger", "accept", "--lost", words[0].strip("`"), "--held", held)
    assert said in command(path, *arguments, "--no-other-grants", exit_code=2)


def test_a_grant_needs_a_memory_apart_from_the_ledger(lost, tmp_path, monkeypatch, place):
    path = place()
    ask(path)
    (tmp_path / "file").touch()
    monkeypatch.setenv("DPSQL_STATE_DIR", str(tmp_path / "file" / "below"))
    grant = ("budget", "grant", "alice", "--epsilon", "2", "--why", "w", "--by", "o")
    assert "nothing was granted" in command(path, *grant, exit_code=5)
    with Ledger.audit(f"sqlite:///{tmp_path / 'ledger.db'}") as ledger:
        assert ledger.account("analyst:alice").granted.epsilon == 0
