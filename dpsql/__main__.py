"""The installed `dpsql` and `python -m dpsql`: the command line, quiet when it is interrupted.

Nearly all of the first tenths of a second are imports, so that is where an early Ctrl-C falls.
Nothing is open or charged by then: one line, exit 130. This module and what it imports first
(`dpsql` itself) are kept small, since nothing catches an interrupt before `run` does.
"""

import os
import sys

INTERRUPTED = 130


def run() -> None:
    """Run the command line. Never returns."""
    try:
        from dpsql.cli import main

        main(prog_name="dpsql")
    except KeyboardInterrupt:
        if sys.stderr is not None:
            sys.stderr.write("interrupted\n")
        _leave()
    except SystemExit as end:
        if end.code != INTERRUPTED:
            raise
        _leave()


def _leave() -> None:
    """Exit with 130. The usual way out may meet a second Ctrl-C, or end in a signal of its own."""
    for stream in (sys.stdout, sys.stderr):
        try:
            if stream is not None:
                stream.flush()
        except OSError:  # nobody reads there any more
            pass
    os._exit(INTERRUPTED)


if __name__ == "__main__":
    run()
