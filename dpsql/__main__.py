"""The installed `dpsql` and `python -m dpsql`: the command line, quiet when it is interrupted.

Nearly all of the first tenths of a second are imports, so that is where an early Ctrl-C falls.
Nothing is open or charged by then: one line, exit 130.
"""

from __future__ import annotations

import signal
import sys


def run() -> None:
    """Run the command line. Never returns."""
    try:
        from dpsql.cli import main

        main(prog_name="dpsql")
    except KeyboardInterrupt:
        signal.signal(signal.SIGINT, signal.SIG_IGN)  # a second one must not break the goodbye
        if sys.stderr is not None:
            sys.stderr.write("interrupted\n")
        sys.exit(130)


if __name__ == "__main__":
    run()
