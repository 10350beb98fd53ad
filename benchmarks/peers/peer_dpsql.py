"""dpsql from the checkout, by its ordinary Python interface (PEP 249)."""

from __future__ import annotations

import warnings
from typing import Any

from protocol import Refused, run

import dpsql

PLENTY = {"epsilon": "1e12", "delta": "0.5"}
MANY = 3000  # queries after which counting stops


class Dpsql:
    def __init__(self, job: dict[str, Any]) -> None:
        self.job = job
        self.open: Any = None

    def about(self) -> dict[str, Any]:
        return {"version": dpsql.__version__, "engine": "DuckDB"}

    def policy(
        self,
        name: str,
        bounds: dict[str, int],
        columns: dict[str, dict[str, Any]],
        budget: dict[str, Any] = PLENTY,
        rows: int | None = None,
    ) -> dict[str, Any]:
        found = self.job["sets"][name]
        tables: dict[str, Any] = {}
        for table, spec in found["tables"].items():
            if spec.get("public"):
                tables[table] = {"public": True}
                continue
            tables[table] = {"unit": found["unit"], "columns": columns.get(table, {})}
            if rows is not None and not spec["alone"]:
                tables[table]["max_rows_per_unit"] = rows
        return {
            "version": 1,
            "database": f"duckdb:///{self.job['folder']}/{name}.duckdb",
            "releases": {"reuse": "off"},  # every execution is a fresh, paid draw
            "budgets": {
                "per_query": {"epsilon": 1, "delta": "1e-6"},
                "max_per_query": {"epsilon": "1e9", "delta": "1e-2"},
                "default": budget,
                "total": PLENTY,
            },
            "bounds": bounds,
            "unit": "person",
            "tables": tables,
        }

    def connect(self, policy: dict[str, Any], epsilon: Any, delta: Any) -> Any:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # no ledger file: this budget may be forgotten
            return dpsql.connect(policy, analyst="bench", epsilon=epsilon, delta=delta)

    def asker(self, question: dict[str, Any]) -> Any:
        columns: dict[str, Any] = {}
        if question["column"] is not None:
            columns[question["column"]] = {"min": question["low"], "max": question["high"]}
        if question["public"] is not None:
            columns[question["key"]] = {"values": question["public"]}
        bounds = {"max_groups": question["groups"], "max_rows_per_group": question["rows"]}
        policy = self.policy(
            question["set"], bounds, {question["table"]: columns}, rows=question["rows"]
        )
        connection = self.connect(policy, self.job["epsilon"], self.job["delta"])

        def ask() -> list[Any]:
            cursor = connection.cursor()
            cursor.execute(question["sql"])
            return list(cursor.fetchall())

        return ask

    def admitted(self, epsilon: float, target: float) -> Any:
        """COUNT(*) of persons until the ledger says no. Laplace noise at ε has RMSE √2/ε."""
        budget = {"epsilon": self.job["epsilon"], "delta": self.job["delta"]}
        policy = self.policy("rand", {"max_groups": 1, "max_rows_per_group": 1}, {}, budget=budget)
        connection = self.connect(policy, epsilon, "1e-30")
        cursor, values, stopped = connection.cursor(), [], False
        while len(values) < MANY and not stopped:
            try:
                cursor.execute("SELECT COUNT(*) FROM persons")
                values.append(cursor.fetchone()[0])
            except dpsql.BudgetExceeded:
                stopped = True
        connection.close()
        yield {
            "way": "ledger (Rényi filter)",
            "count": len(values),
            "values": values,
            "stopped": stopped,
        }

    def answer(self, case: dict[str, Any]) -> tuple[list[str], list[Any]]:
        if self.open is None:
            caps = self.job["coverage"]
            bounds = {"max_groups": caps["groups"], "max_rows_per_group": caps["rows"]}
            columns: dict[str, dict[str, Any]] = {
                table: {c: {"min": low, "max": high} for c, (low, high) in ranges.items()}
                for table, ranges in self.job["ranges"].items()
            }
            columns["users"]["signup"] = {"min": "2020-01-01", "max": "2026-12-31"}
            columns["orders"]["ts"] = {"min": "2020-01-01", "max": "2026-12-31"}
            self.open = self.connect(self.policy("shop", bounds, columns), "1e8", "1e-6")
        cursor = self.open.cursor()
        try:
            cursor.execute(case["duckdb"], case.get("params"))
        except (dpsql.InternalError, dpsql.EngineFailed):
            raise
        except dpsql.Error as error:
            raise Refused(f"{error.code}: {error}") from None
        return [column[0] for column in cursor.description], list(cursor.fetchall())


if __name__ == "__main__":
    run(Dpsql)
