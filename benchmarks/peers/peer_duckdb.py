"""DuckDB plain: no privacy at all. The time floor, and the check of the harness itself."""

from __future__ import annotations

from typing import Any

import duckdb
from protocol import run


class DuckDB:
    def __init__(self, job: dict[str, Any]) -> None:
        self.job = job

    def about(self) -> dict[str, Any]:
        return {"version": duckdb.__version__, "engine": "DuckDB"}

    def connect(self, name: str) -> Any:
        return duckdb.connect(f"{self.job['folder']}/{name}.duckdb", read_only=True)

    def asker(self, question: dict[str, Any]) -> Any:
        connection = self.connect(question["set"])
        return lambda: connection.execute(question["sql"]).fetchall()

    def admitted(self, epsilon: float, target: float) -> Any:
        return iter(())  # there is no budget to run out of

    def answer(self, case: dict[str, Any]) -> tuple[list[str], list[Any]]:
        with self.connect("shop") as connection:
            cursor = connection.execute(case["duckdb"], case.get("params") or [])
            return [column[0] for column in cursor.description], cursor.fetchall()


if __name__ == "__main__":
    run(DuckDB)
