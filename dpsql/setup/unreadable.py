"""Why a CSV or Parquet file cannot be read, from its bytes alone, without a value of it."""

from __future__ import annotations

import codecs
from pathlib import Path

_CHUNK = 1 << 20
_MARK = b"PAR1"
_TEXT = "a CSV is text; a table of another program has to be exported as CSV or Parquet first"


def why(file: Path, *, csv: bool) -> tuple[str, str] | None:
    """(what it is, the way out); None where its bytes look as they should. OSError."""
    return _csv(file) if csv else _parquet(file)


def _csv(file: Path) -> tuple[str, str] | None:
    decoder = codecs.getincrementaldecoder("utf-8")()
    foreign = False
    with file.open("rb") as stream:
        while chunk := stream.read(_CHUNK):
            if b"\0" in chunk:
                return "is binary, not text", _TEXT
            try:
                decoder.decode(chunk)
            except UnicodeDecodeError:
                foreign = True
                decoder.reset()
    if foreign:
        return (
            "is not UTF-8 text, as a CSV has to be here",
            f"convert it, say from Latin-1: iconv -f latin1 -t utf-8 {file.name} > utf8.csv",
        )
    return None


def _parquet(file: Path) -> tuple[str, str] | None:
    with file.open("rb") as stream:
        first = stream.read(len(_MARK))
        stream.seek(max(0, stream.seek(0, 2) - len(_MARK)))
        last = stream.read()
    if first != _MARK:
        return "is no Parquet file", "its first bytes are not PAR1; a CSV has to end in .csv"
    if last != _MARK:
        return "is a Parquet file that was cut off", "its end is missing: copy it again, whole"
    return None
