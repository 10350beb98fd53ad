"""The subcommands of `dpsql`, one module each: parse flags, call a session, print."""
