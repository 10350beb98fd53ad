"""SmartNoise SQL on PostgreSQL.

ε there is the price of each noisy column, δ that of the threshold. So that the *query* costs
(ε, δ): the number of noisy columns k is read from `get_privacy_cost` at ε = 1, and the query is
asked at ε/k (basic composition; there is at most one threshold, which gets all of δ). Tables with
one row per person are declared `row_privacy`, which saves the sampling and lets the threshold and
COUNT(*) share one noisy count; ungrouped queries run with `censor_dims: False`, for there are no
keys to protect. Both choices are the cheaper ones for SmartNoise. It has no public keys: a key's
values come from the data, so that they need the threshold.
"""

from __future__ import annotations

import logging
import warnings
from importlib.metadata import version
from typing import Any

warnings.simplefilter("ignore")
logging.disable(logging.WARNING)

import psycopg2  # noqa: E402
import snsql  # noqa: E402
from protocol import Refused, run  # noqa: E402
from snsql import Privacy  # noqa: E402
from snsql.sql.odometer import OdometerHeterogeneous  # noqa: E402
from snsql.sql.parse import QueryParser  # noqa: E402

TYPES = {
    "BIGINT": "int",
    "INTEGER": "int",
    "DOUBLE": "float",
    "VARCHAR": "string",
    "DATE": "datetime",
    "TIMESTAMP": "datetime",
}
ALMOST_NOISELESS = 1e4
MANY = 100_000


class SmartNoise:
    def __init__(self, job: dict[str, Any]) -> None:
        self.job = job
        self.reader: Any = None

    def about(self) -> dict[str, Any]:
        return {"version": version("smartnoise-sql"), "engine": "PostgreSQL"}

    def metadata(
        self, name: str, ranges: dict[str, dict[str, Any]], alone: bool, grouped: bool, rows: int
    ) -> dict[str, Any]:
        found = self.job["sets"][name]
        tables: dict[str, Any] = {}
        for table, spec in found["tables"].items():
            columns: dict[str, Any] = {}
            for column, kind in spec["columns"].items():
                columns[column] = {"type": TYPES[kind]}
                if column in ranges.get(table, {}):
                    low, high = ranges[table][column]
                    columns[column] |= {"lower": low, "upper": high}
            by_row = alone and spec["alone"]
            if found["unit"] in columns and not by_row:
                columns[found["unit"]]["private_id"] = True
            tables[table] = {
                **columns,
                "row_privacy": by_row or bool(spec.get("public")),
                "max_ids": 1 if spec["alone"] else rows,
                "sample_max_ids": not by_row,
                "censor_dims": grouped,
                "clamp_counts": False,
            }
        return {"": {"public": tables}}

    def connect(self, name: str, metadata: dict[str, Any], epsilon: float, delta: float) -> Any:
        connection = psycopg2.connect(f"{self.job['postgres']} dbname={name}")
        connection.cursor().execute("SET statement_timeout = '120s'")
        privacy = Privacy(epsilon=epsilon, delta=delta)
        reader = snsql.from_connection(
            connection, privacy=privacy, metadata=metadata, engine="postgres"
        )
        reader.reader.compare.search_path = ["public"]
        return reader

    def asker(self, question: dict[str, Any]) -> Any:
        table, grouped = question["table"], question["key"] is not None
        ranges = {table: {question["column"]: (float(question["low"]), float(question["high"]))}}
        metadata = self.metadata(
            question["set"], ranges, question["alone"], grouped, question["rows"]
        )
        # one table at a time, for the options of all declared tables are mixed into one
        metadata[""]["public"] = {table: metadata[""]["public"][table]}
        sql = question["sql"].replace(f"FROM {table}", f"FROM public.{table}")
        unit_price = self.connect(question["set"], metadata, 1.0, self.job["delta"])
        columns = round(unit_price.get_privacy_cost(sql)[0])
        reader = self.connect(
            question["set"], metadata, self.job["epsilon"] / columns, self.job["delta"]
        )
        return lambda: reader.execute(sql)[1:]

    def admitted(self, epsilon: float, target: float) -> Any:
        """COUNT(*) of persons until the odometer passes (ε, δ). It only shows: nothing stops."""
        metadata = self.metadata("rand", {}, alone=False, grouped=False, rows=1)
        reader = self.connect("rand", metadata, epsilon, self.job["delta"])
        sql = "SELECT COUNT(*) AS v FROM public.persons"
        values = [int(reader.execute(sql)[1][0]) for _ in range(30)]
        each = reader.odometer.steps[0]
        assert reader.odometer.steps == [each] * 30
        count = 0
        odometer = OdometerHeterogeneous(Privacy(epsilon=epsilon, delta=self.job["delta"]))
        while count < MANY:  # what `execute` adds, without thousands of executions
            odometer.spend(Privacy(epsilon=each[0], delta=each[1]))
            spent = odometer.spent
            if spent[0] > self.job["epsilon"] * (1 + 1e-9) or spent[1] > self.job["delta"]:
                break
            count += 1
        yield {
            "way": "odometer (shows, does not stop)",
            "count": count,
            "values": values,
            "stopped": False,
        }

    def documented(self, case: dict[str, Any]) -> bool:
        """Its published grammar (SqlSmall.g4) takes the text: there is no other reference."""
        try:
            QueryParser().parse_only(case["postgres"])
        except Exception:
            return False
        return True

    def answer(self, case: dict[str, Any]) -> tuple[list[str], list[Any]]:
        if self.reader is None:
            metadata = self.metadata(
                "shop", self.job["ranges"], False, True, self.job["coverage"]["rows"]
            )
            self.reader = self.connect("shop", metadata, ALMOST_NOISELESS, 1e-6)
        try:
            found = self.reader.execute(case["postgres"])
        except (ValueError, NotImplementedError) as error:  # its own way of saying no
            raise Refused(str(error)) from None
        return [str(name) for name in found[0]], [list(row) for row in found[1:]]


if __name__ == "__main__":
    run(SmartNoise)
