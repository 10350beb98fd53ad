"""`dpsql ledger checkpoint`, and `ledger verify --checkpoint`: heads on the owner's word."""

from __future__ import annotations

import json
import os
import shutil
import sqlite3
import stat
import subprocess
from contextlib import closing

import pytest

from dpsql.ledger.chain import canonical, parse

COUNT = "SELECT COUNT(*) FROM users"


@pytest.fixture(autouse=True)
def state(tmp_path, monkeypatch):
    monkeypatch.setenv("DPSQL_STATE_DIR", str(tmp_path / "owner"))
    return tmp_path / "owner"


@pytest.fixture
def place(dpsql, shop):
    """A folder with two checkpoints of a ledger with three charges."""
    folder = shop / "apart"
    for number in range(3):
        ask(dpsql, number)
        if number:
            sign(dpsql)
    return folder


def ask(dpsql, number):
    sql = f"{COUNT} WHERE age > {number}"
    assert dpsql("query", "--analyst", "ann", sql).exit_code == 0


def sign(dpsql, *more, exit_code=0):
    result = dpsql("ledger", "checkpoint", "--to", "apart", *more)
    assert result.exit_code == exit_code, result.output
    return result


def verify(dpsql, *more, place="apart"):
    result = dpsql("ledger", "verify", "--checkpoint", str(place), *more, "--format", "json")
    return result.exit_code, json.loads(result.stdout)


def key_of(place):
    return json.loads(sorted(place.glob("*.json"))[0].read_bytes())["checkpoint"]["key"]


def change(shop, *statements):
    with closing(sqlite3.connect(shop / "ledger.db")) as connection:
        connection.execute("PRAGMA foreign_keys = OFF")
        for statement in statements:
            connection.execute(statement)
        connection.commit()


def auditor(monkeypatch, tmp_path):
    """Somebody without receipts and keys of their own."""
    monkeypatch.setenv("DPSQL_STATE_DIR", str(tmp_path / "auditor"))


def test_a_ledger_shows_its_checkpoints(dpsql, place, state):
    by_itself, by_key = verify(dpsql), verify(dpsql, "--key", key_of(place))
    for _, report in (by_itself, by_key):
        assert len({one.pop("whose") for one in report["checkpoints"]}) == 1
    assert by_itself == by_key
    code, report = verify(dpsql)
    assert (code, report["ok"], report["entries"]) == (0, True, 9)
    ask(dpsql, 7)
    assert verify(dpsql)[0] == 0
    for file in sorted(place.glob("*.json")):
        assert verify(dpsql, place=file)[0] == 0


def test_files_are_private_and_nothing_else_lies_there(dpsql, place, state):
    names = sorted(file.name for file in place.iterdir())
    assert [name.partition("-")[0] for name in names] == ["0000000007", "0000000009", "key"]
    private = state / "keys" / "checkpoint.pem"
    for file in (*place.iterdir(), private):
        assert stat.S_IMODE(file.stat().st_mode) == 0o600, file
    assert stat.S_IMODE((state / "keys").stat().st_mode) == 0o700
    assert b"PRIVATE KEY" in private.read_bytes()
    assert not any(b"PRIVATE" in file.read_bytes() for file in place.iterdir())
    for file in place.glob("*.json"):
        assert canonical(parse(file.read_bytes())) == file.read_bytes()


@pytest.mark.skipif(shutil.which("openssl") is None, reason="needs openssl")
def test_another_program_can_check_the_signature(place, tmp_path):
    """Signed is `dpsql-checkpoint-v1\\n` and the canonical text of the checkpoint."""
    whole = json.loads(sorted(place.glob("*.json"))[-1].read_bytes())
    (tmp_path / "message").write_bytes(b"dpsql-checkpoint-v1\n" + canonical(whole["checkpoint"]))
    (tmp_path / "signature").write_bytes(bytes.fromhex(whole["signature"]))
    (public,) = place.glob("key-*.pub")
    words = ["openssl", "pkeyutl", "-verify", "-pubin", "-inkey", str(public), "-rawin"]
    words += ["-in", str(tmp_path / "message"), "-sigfile", str(tmp_path / "signature")]
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    assert "Verified Successfully" in done.stdout, done.stderr


def test_a_cut_off_end_is_found(dpsql, place, shop, monkeypatch, tmp_path):
    """Every length of what is left: the checkpoint that it is too short for is named."""
    key = key_of(place)
    auditor(monkeypatch, tmp_path)
    for left in range(8, 0, -1):
        change(
            shop,
            f"DELETE FROM dpsql_releases WHERE seq > {left - 1}",
            f"DELETE FROM dpsql_entries WHERE seq > {left}",
        )
        assert json.loads(dpsql("ledger", "verify", "--format", "json").stdout)["ok"]
        code, report = verify(dpsql, "--key", key)
        assert code == 1
        expected = 2 if left < 7 else 1
        assert len([p for p in report["problems"] if "is no entry of this ledger" in p]) == expected


def test_a_ledger_begun_anew_is_found(dpsql, place, shop, monkeypatch, tmp_path):
    key = key_of(place)
    auditor(monkeypatch, tmp_path)
    (shop / "ledger.db").unlink()
    for number in range(5):
        ask(dpsql, number)
    code, report = verify(dpsql, "--key", key)
    assert code == 1
    assert all("is of another ledger" in problem for problem in report["problems"])
    assert "nothing was signed" in sign(dpsql, exit_code=1).stderr


def test_the_owners_own_receipts_are_compared_too(dpsql, place, shop):
    change(
        shop,
        "DELETE FROM dpsql_releases WHERE seq > 7",
        "DELETE FROM dpsql_entries WHERE seq > 7",
    )
    result = dpsql("ledger", "verify")
    assert result.exit_code == 1
    assert "seen by this user" in result.stdout
    assert "nothing was signed" in sign(dpsql, exit_code=1).stderr


def test_every_changed_byte_of_a_checkpoint_is_found(place):
    from dpsql.ledger.checkpoints import read_checkpoint

    whole = sorted(place.glob("*.json"))[-1].read_bytes()
    assert read_checkpoint(whole) is not None
    for index in range(len(whole)):
        changed = bytearray(whole)
        changed[index] ^= 1 << index % 8
        assert read_checkpoint(bytes(changed)) is None, index
    for index in range(len(whole)):
        assert read_checkpoint(whole[:index]) is None


def test_a_changed_or_foreign_checkpoint_is_a_problem(dpsql, place, tmp_path):
    last = sorted(place.glob("*.json"))[-1]
    whole = last.read_bytes()
    last.write_bytes(whole.replace(b'"seq":9', b'"seq":8'))
    code, report = verify(dpsql)
    assert code == 1
    assert "its signature fails" in report["problems"][0]
    assert "nothing was signed" in sign(dpsql, exit_code=1).stderr
    last.write_bytes(whole)
    other = dpsql(
        "ledger", "checkpoint", "--to", "elsewhere", "--signing-key", str(tmp_path / "mine.pem")
    )
    assert other.exit_code == 0
    foreign = next((tmp_path / "elsewhere").glob("*.json"))
    shutil.copy(foreign, place)
    code, report = verify(dpsql)
    assert code == 1
    assert "a key that is not trusted" in report["problems"][0]
    key = json.loads(foreign.read_bytes())["checkpoint"]["key"]
    assert verify(dpsql, "--key", key, "--key", key_of(place))[0] == 0


def test_an_auditor_says_whom_they_trust(dpsql, place, monkeypatch, tmp_path):
    key = key_of(place)
    auditor(monkeypatch, tmp_path)
    result = dpsql("ledger", "verify", "--checkpoint", "apart")
    assert result.exit_code == 5
    assert "checkpoint-key" in result.stderr
    assert key in result.stderr
    assert verify(dpsql, "--key", key)[0] == 0
    (public,) = place.glob("key-*.pub")
    assert verify(dpsql, "--key", str(public))[0] == 0
    assert verify(dpsql, "--key", "0" * 64)[0] == 1
    for wrong in ("0" * 63, "no/such/file", "dpsql.yaml"):
        assert dpsql("ledger", "verify", "--checkpoint", "apart", "--key", wrong).exit_code == 2


def test_keys_are_rotated(dpsql, place, state, monkeypatch, tmp_path):
    old = key_of(place)
    said = sign(dpsql, "--rotate").stderr
    ask(dpsql, 8)
    sign(dpsql)
    new = json.loads(sorted(place.glob("*.json"))[-1].read_bytes())["checkpoint"]["key"]
    assert new != old
    assert new in said
    assert len(list(place.glob("*.json"))) == 4
    assert verify(dpsql)[0] == 0  # by the owner
    kept = sorted(file.name for file in (state / "keys").iterdir())
    assert kept == ["checkpoint.pem", f"retired-{old[:16]}.pub"]
    assert not any(b"PRIVATE" in file.read_bytes() for file in (state / "keys").glob("retired*"))
    auditor(monkeypatch, tmp_path)
    assert verify(dpsql, "--key", old)[0] == 0  # the old key names the new one
    code, report = verify(dpsql, "--key", new)  # but not the other way round
    assert code == 1
    assert all(old in problem for problem in report["problems"])
    newest = sorted(place.glob("*.json"))[-1]
    assert verify(dpsql, "--key", old, place=newest)[0] == 0


def test_there_is_nothing_to_rotate_at_first(dpsql, shop):
    ask(dpsql, 1)
    assert "none in" in sign(dpsql, "--rotate", exit_code=5).stderr
    assert not (shop / "apart").exists()


def test_a_broken_ledger_is_not_signed(dpsql, place, shop):
    change(shop, "UPDATE dpsql_entries SET body = replace(body, 'users', 'usErs') WHERE seq = 6")
    before = sorted(place.iterdir())
    result = sign(dpsql, exit_code=1)
    assert "the first bad entry is 6" in result.stderr
    assert result.stdout == ""
    assert sorted(place.iterdir()) == before


def test_a_key_that_others_can_read_is_not_used(dpsql, place, state):
    (state / "keys" / "checkpoint.pem").chmod(0o644)
    for command in (("checkpoint", "--to"), ("verify", "--checkpoint")):
        result = dpsql("ledger", *command, "apart")
        assert result.exit_code == 5
        assert "can be read by others" in result.stderr


def test_a_file_that_is_no_key(dpsql, place, state):
    (state / "keys" / "checkpoint.pem").write_text("secret")
    (state / "keys" / "checkpoint.pem").chmod(0o600)
    assert "no Ed25519 private key" in sign(dpsql, exit_code=5).stderr


@pytest.mark.parametrize("where", ["none", "empty"])
def test_no_checkpoints_are_no_proof(dpsql, shop, where):
    ask(dpsql, 1)
    (shop / "empty").mkdir()
    result = dpsql("ledger", "verify", "--checkpoint", where)
    assert result.exit_code == 5
    assert "checkpoint-missing" in result.stderr


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
def test_a_place_that_cannot_be_written(dpsql, shop):
    ask(dpsql, 1)
    (shop / "apart").mkdir(mode=0o500)
    assert "checkpoint-place" in sign(dpsql, exit_code=5).stderr


def test_a_place_that_is_a_file(dpsql, shop):
    ask(dpsql, 1)
    (shop / "apart").touch()
    assert "checkpoint-place" in sign(dpsql, exit_code=5).stderr


def test_the_policy_names_the_place(dpsql, shop):
    assert dpsql("ledger", "checkpoint").exit_code == 2
    policy = shop / "dpsql.yaml"
    policy.write_text(policy.read_text() + "checkpoints: ./apart\n")
    ask(dpsql, 1)
    found = json.loads(dpsql("check", "--format", "json").stdout)["findings"]
    assert any(f["where"] == "checkpoints" and "there is none" in f["message"] for f in found)
    path = dpsql("ledger", "checkpoint").stdout.strip()
    assert path.startswith(str(shop / "apart"))
    ask(dpsql, 2)
    found = json.loads(dpsql("check", "--format", "json").stdout)["findings"]
    said = [f["message"] for f in found if f["where"] == "checkpoints"]
    assert "the newest is of entry 5; the ledger has 7" in said
    assert any("ledger's volume" in message for message in said)
    assert f"--checkpoint {shop / 'apart'}" in dpsql("ledger", "verify").stderr


def test_after_an_accepted_loss_older_checkpoints_are_excused(dpsql, place, shop):
    """The owner's act stands in the chain; from then on the lost checkpoints are history."""
    change(
        shop,
        "DELETE FROM dpsql_releases WHERE seq > 7",
        "DELETE FROM dpsql_entries WHERE seq > 7",
    )
    refused = dpsql("query", "--analyst", "ann", f"{COUNT} WHERE age > 5")
    assert refused.exit_code == 5
    lost = next(word for word in refused.stderr.split() if word.count(":") == 2).strip("`")
    silent = dpsql("ledger", "accept", "--lost", lost, "--yes")
    assert silent.exit_code == 2  # the owner has to say that no other grants are known
    assert "--no-other-grants" in silent.stderr
    accepted = dpsql("ledger", "accept", "--lost", lost, "--no-other-grants", "--yes")
    assert accepted.exit_code == 0
    code, report = verify(dpsql)
    assert code == 0
    assert "goes on without entry 9" in report["notes"][0]
    sign(dpsql)
    shown = dpsql("ledger", "show").stdout
    assert "entries were lost: every budget is taken as spent" in shown
    again = dpsql("ledger", "accept", "--lost", "x:1:2")
    assert again.exit_code == 2


# ---- what was compared -------------------------------------------------------------------------


def test_verify_says_what_each_checkpoint_is_and_whose(dpsql, place, monkeypatch, tmp_path):
    key = key_of(place)
    newest = json.loads(sorted(place.glob("*.json"))[-1].read_bytes())["checkpoint"]
    told = verify(dpsql)[1]["checkpoints"]
    assert [(one["seq"], one["shown"]) for one in told] == [(9, True), (7, True)]
    assert told[0]["head"] == newest["head"]
    assert told[0]["key"] == key
    assert told[0]["whose"] == "this user's own key"
    text = dpsql("ledger", "verify", "--checkpoint", "apart").stdout
    assert f"entry 9, head {newest['head'][:16]}…, signed {told[0]['time'][:10]}" in text
    assert f"by {key[:16]}… (this user's own key): the ledger shows it" in text
    auditor(monkeypatch, tmp_path)
    by_key = verify(dpsql, "--key", key)[1]["checkpoints"]
    assert {one["whose"] for one in by_key} == {"named by --key"}


def test_verify_says_which_checkpoint_is_not_shown(dpsql, place, shop, monkeypatch, tmp_path):
    key = key_of(place)
    auditor(monkeypatch, tmp_path)
    change(
        shop,
        "DELETE FROM dpsql_releases WHERE seq > 7",
        "DELETE FROM dpsql_entries WHERE seq > 8",
    )
    code, report = verify(dpsql, "--key", key)
    assert code == 1
    assert [(one["seq"], one["shown"]) for one in report["checkpoints"]] == [(9, False), (7, True)]
    text = dpsql("ledger", "verify", "--checkpoint", "apart", "--key", key).stdout
    assert "the ledger does not show it" in text


def test_a_follower_and_a_stranger_are_told_apart(dpsql, place):
    sign(dpsql, "--rotate")
    ask(dpsql, 8)
    sign(dpsql)
    key = key_of(place)
    told = verify(dpsql, "--key", key)[1]["checkpoints"]
    assert told[0]["key"] != key
    assert told[0]["whose"] == "a key that a trusted one named as its next"
    assert {one["whose"] for one in told[1:]} == {"named by --key"}
    assert "checkpoints" not in json.loads(dpsql("ledger", "verify", "--format", "json").stdout)


def test_only_the_newest_checkpoints_are_listed(dpsql, place):
    for number in range(10, 15):
        ask(dpsql, number)
        sign(dpsql)
    text = dpsql("ledger", "verify", "--checkpoint", "apart").stdout
    assert text.count("the ledger shows it") == 5
    assert "and 2 older ones, of which the ledger shows 2" in text
    assert len(verify(dpsql)[1]["checkpoints"]) == 7
