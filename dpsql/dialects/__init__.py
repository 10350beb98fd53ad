"""Engines: what one must do (`engine`), the normal form in its words (`writing`).

DuckDB, as the owner's database (`duckdb`, and `duckdb_*` for opening, catalog and types) and as
the sealed instances above the noise line (`sealed`, `naming`); `interrupts` serves both."""
