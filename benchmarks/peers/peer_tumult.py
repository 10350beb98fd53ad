"""Tumult Analytics on a local Spark: no SQL, its query builder instead.

A session protects AddRowsWithID(person), that is, adding or removing all rows of one person, under
ApproxDPBudget. COUNT, SUM, AVG get (ε, 0): its Laplace noise needs no δ. Private keys take two
steps, as its documentation says: get_groups at (ε/2, δ), then the aggregate over those keys at
(ε/2, 0). The cap on rows is MaxRowsPerID, for get_groups MaxGroupsPerID with one row in each.
"""

from __future__ import annotations

import math
import os
import sys
import tempfile
from importlib.metadata import version
from typing import Any

from protocol import run

SLOW = 15  # Spark takes seconds for what the others do in milliseconds: a 15th of their runs


class Tumult:
    slow = SLOW

    def __init__(self, job: dict[str, Any]) -> None:
        os.environ["PYSPARK_PYTHON"] = os.environ["PYSPARK_DRIVER_PYTHON"] = sys.executable
        os.chdir(tempfile.mkdtemp(prefix="spark-", dir=job["folder"]))
        from pyspark.sql import SparkSession

        self.job = job
        settings = {
            "spark.ui.enabled": "false",
            "spark.ui.showConsoleProgress": "false",
            "spark.sql.shuffle.partitions": "2",
            "spark.default.parallelism": "2",
            "spark.driver.memory": "4g",
            "spark.sql.parquet.inferTimestampNTZ.enabled": "false",  # a type Tumult does not take
            "spark.driver.host": "127.0.0.1",
            "spark.driver.bindAddress": "127.0.0.1",
        }
        builder = SparkSession.builder.master("local[2]")
        for name, value in settings.items():
            builder = builder.config(name, value)
        self.spark = builder.getOrCreate()
        self.spark.sparkContext.setLogLevel("OFF")
        self.frames: dict[str, Any] = {}

    def about(self) -> dict[str, Any]:
        return {"version": version("tmlt.analytics"), "engine": f"Spark {self.spark.version}"}

    def frame(self, name: str, table: str) -> Any:
        path = f"{self.job['folder']}/{name}.{table}.parquet"
        if path not in self.frames:
            self.frames[path] = self.spark.read.parquet(path).cache()
        return self.frames[path]

    def session(self, name: str, table: str, budget: Any) -> Any:
        from tmlt.analytics import AddRowsWithID, Session

        return Session.from_dataframe(
            privacy_budget=budget,
            source_id=table,
            dataframe=self.frame(name, table),
            protected_change=AddRowsWithID(id_column=self.job["sets"][name]["unit"]),
        )

    def asker(self, question: dict[str, Any]) -> Any:
        from tmlt.analytics import (
            ApproxDPBudget,
            KeySet,
            MaxGroupsPerID,
            MaxRowsPerGroupPerID,
            MaxRowsPerID,
            QueryBuilder,
        )

        table, key = question["table"], question["key"]
        session = self.session(question["set"], table, ApproxDPBudget(1e6, 0.5))
        epsilon, delta = self.job["epsilon"], self.job["delta"]
        bounded = QueryBuilder(table).enforce(MaxRowsPerID(question["rows"]))
        one = QueryBuilder(table)
        if key is not None:
            one = one.enforce(MaxGroupsPerID(key, question["groups"]))
            one = one.enforce(MaxRowsPerGroupPerID(key, 1))

        def aggregate(query: Any) -> Any:
            if question["aggregate"] == "count":
                return query.count(name="v")
            bounds = (question["column"], question["low"], question["high"])
            return (query.sum if question["aggregate"] == "sum" else query.average)(
                *bounds, name="v"
            )

        def ask() -> list[Any]:
            if key is None:
                found = session.evaluate(aggregate(bounded), ApproxDPBudget(epsilon, 0))
                return [[row["v"]] for row in found.collect()]
            if question["public"] is not None:
                keys, price = KeySet.from_dict({key: question["public"]}), epsilon
            else:
                price = epsilon / 2
                groups = session.evaluate(one.get_groups([key]), ApproxDPBudget(price, delta))
                keys = KeySet.from_dataframe(groups)
            query = aggregate(bounded.groupby(keys))
            found = session.evaluate(query, ApproxDPBudget(price, 0))
            return [[row[key], row["v"]] for row in found.collect()]

        return ask

    def admitted(self, epsilon: float, target: float) -> Any:
        """What a session admits: both of its budgets add up, so that few queries show the count."""
        from tmlt.analytics import ApproxDPBudget, MaxRowsPerID, QueryBuilder, RhoZCDPBudget

        most, delta = self.job["epsilon"], self.job["delta"]
        query = QueryBuilder("persons").enforce(MaxRowsPerID(1)).count(name="v")
        session = self.session("rand", "persons", ApproxDPBudget(most, delta))
        values = [session.evaluate(query, ApproxDPBudget(epsilon, 0)).collect()[0]["v"]]
        yield {
            "way": "session, pure (Laplace; adds up)",
            "count": math.floor(most / epsilon + 1e-9),
            "values": values,
            "stopped": True,
        }
        total, rho = zcdp(most, delta), 1 / (2 * target**2)
        session = self.session("rand", "persons", RhoZCDPBudget(total))
        values = [session.evaluate(query, RhoZCDPBudget(rho)).collect()[0]["v"]]
        yield {
            "way": "session, ρ-zCDP (Gaussian; adds up)",
            "count": math.floor(total / rho + 1e-9),
            "values": values,
            "stopped": True,
        }


def zcdp(epsilon: float, delta: float) -> float:
    """The largest ρ that is (ε, δ)-DP, by the best order α of
    δ = exp((α-1)(αρ-ε)) / (α-1) · (1-1/α)^α (Canonne, Kamath, Steinke 2020, Prop. 12)."""

    def log_delta(rho: float) -> float:
        orders = (1 + 10 ** (k / 200) for k in range(-400, 1000))
        return min(
            (a - 1) * (a * rho - epsilon) - math.log(a - 1) + a * math.log1p(-1 / a) for a in orders
        )

    low, high = 0.0, epsilon
    for _ in range(100):
        middle = (low + high) / 2
        low, high = (middle, high) if log_delta(middle) <= math.log(delta) else (low, middle)
    return low


if __name__ == "__main__":
    run(Tumult)
