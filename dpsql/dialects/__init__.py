"""Engines: what one must do (`engine`), the normal form in its words (`writing`).

DuckDB, as the owner's database (`duckdb`, and `duckdb_*` for opening, catalog and types) and as
the sealed instances above the noise line (`sealed`, `naming`); `interrupts` serves all.

PostgreSQL (`postgres`, and `postgres_*`): `open` with all settings, `catalog` and `types`, `rows`
to Arrow; `forms` writes the normal form, `scalars` and the families below it expressions."""
