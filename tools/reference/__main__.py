"""Write docs/reference, or with --check say which of its files are stale (exit code 1)."""

from __future__ import annotations

import sys
from importlib.metadata import version
from pathlib import Path

from tools.reference import codes, command_line, policy_keys, sql_surface

FOLDER = Path(__file__).parents[2] / "docs" / "reference"
REFRESH = "python -m tools.reference"
PAGES = {
    "policy.md": policy_keys.page,
    "sql.md": sql_surface.page,
    "errors.md": codes.page,
    "commands.md": command_line.page,
}
# Nodes' names are sqlglot's, the shape of help texts is click's: other versions differ.
LIBRARIES = " and ".join(f"{name} {version(name)}" for name in ("sqlglot", "click"))
HEAD = (
    f"<!-- Written by `{REFRESH}` from the code: change that, then run it. -->\n"
    f"<!-- With {LIBRARIES}. -->\n\n"
)


def main(arguments: list[str]) -> int:
    """0: all is as the code says. 1: something was stale. 2: wrong usage."""
    if arguments not in ([], ["--check"]):
        print(f"usage: {REFRESH} [--check]", file=sys.stderr)
        return 2
    texts = {FOLDER / name: HEAD + page() for name, page in PAGES.items()}
    if not arguments:
        FOLDER.mkdir(exist_ok=True)
        for path, text in texts.items():
            path.write_text(text, encoding="utf-8")
        return 0
    found = set(FOLDER.glob("*"))
    stale = [path for path, text in texts.items() if path not in found or _stale(path, text)]
    for path in sorted({*stale, *(found - set(texts))}):
        print(f"docs/reference/{path.name} is not what the code says: run `{REFRESH}`")
    return 1 if stale or found - set(texts) else 0


def _stale(path: Path, text: str) -> bool:
    """What was written with other versions of the libraries is not judged by these."""
    written = path.read_text("utf-8")
    return f"With {LIBRARIES}." in written and written != text


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
