"""`python -m dpsql` is `dpsql`."""

from dpsql.cli import main

main(prog_name="dpsql")
