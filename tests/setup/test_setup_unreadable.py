"""Files that `init` cannot read: what is wrong with them, in their own sentences."""

from __future__ import annotations

import duckdb
import pytest

from dpsql.errors import Error
from dpsql.setup.files import read_columns


def refusal(path):
    with pytest.raises(Error) as caught:
        read_columns({"t": path})
    return caught.value


@pytest.mark.parametrize(
    ("raw", "said"),
    [
        ("id,name\n1,M\u00fcller\n2,J\u00e4ger\n".encode("latin-1"), "is not UTF-8 text"),
        (b"PK\x03\x04\x00\x00\xff\xfe\x00" * 50, "is binary, not text"),
    ],
)
def test_csv(tmp_path, raw, said):
    path = tmp_path / "t.csv"
    path.write_bytes(raw)
    error = refusal(path)
    assert error.code == "init-file"
    assert f"t.csv {said}" in error.message


def test_parquet(tmp_path):
    path = tmp_path / "t.parquet"
    with duckdb.connect() as connection:
        connection.execute(f"COPY (SELECT * FROM range(1000)) TO '{path}'")
    whole = path.read_bytes()
    path.write_bytes(whole[: len(whole) // 2])
    assert "was cut off" in refusal(path).message
    path.write_bytes(b"no such thing")
    assert "is no Parquet file" in refusal(path).message


def test_a_header_that_was_not_split(tmp_path):
    path = tmp_path / "t.csv"
    path.write_text('"id,name"\n"1,a"\n"2,b"\n')
    error = refusal(path)
    assert error.code == "init-header"
    assert "one column whose name holds a separator" in error.message
