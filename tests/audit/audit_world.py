"""A small policy to audit."""

from __future__ import annotations

SCHEMA = """
CREATE TABLE people (id BIGINT PRIMARY KEY, income DOUBLE NOT NULL, home VARCHAR);
CREATE TABLE visits (vid BIGINT PRIMARY KEY, person BIGINT NOT NULL REFERENCES people (id),
    cost DOUBLE, day DATE NOT NULL);
"""
POLICY = {
    "version": 1,
    "budgets": {"default": {"epsilon": 1, "delta": "1e-6"}},
    "bounds": {"max_groups": 2, "max_rows_per_group": 3},
    "tables": {
        "people": {"unit": "id", "columns": {"income": {"min": 0, "max": 10}}},
        "visits": {"unit": "person -> people.id", "columns": {"cost": {"min": 0, "max": 10}}},
    },
}
