"""Which database a policy's tables may lie in: one, or files and attached databases together."""

from __future__ import annotations

from dpsql.policy.fields import Fields, mapping
from dpsql.policy.schema import Policy


def check_places(policy: Policy, fields: Fields) -> None:
    """PolicyError where files stand beside a database that cannot hold them.

    Files are views in a DuckDB in memory; DuckDB files stand beside them under `attach`.
    """
    database = policy.database
    tables = mapping(fields.need("tables")).entries
    attached = {name.casefold() for name in policy.attached}
    for name, table in policy.tables.items():
        where = tables[name].where
        if table.files is not None and database is not None and database.path is not None:
            raise where.error(
                "a table of files cannot stand beside `database:`",
                code="bad-value",
                hint="leave `database` out and name that file under `attach`: its tables are then "
                "name.table",
            )
        in_attached = len(table.parts) == 2 and table.parts[0].casefold() in attached
        if table.files is not None and in_attached:
            raise where.error(
                "the table is of an attached database, not of files", code="bad-value"
            )
    if database is not None and database.engine != "duckdb":
        node = fields.get("attach")
        if node is not None:
            raise node.where.error("attached databases are DuckDB's", code="bad-value")
        for name, table in policy.tables.items():
            if table.files is not None and database.engine != "spark":
                raise tables[name].where.error(
                    "files are read by DuckDB and by Spark, not by PostgreSQL", code="bad-value"
                )
