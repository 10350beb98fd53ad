"""`dpsql shell`: questions asked one after another in one session.

`start` opens it; `loop` reads and counts failures, `desk` answers statements, `backslash` holds
the commands; `statements` cuts text into both. For a terminal: `prompt` (prompt_toolkit, imported
there alone), `completion` over `vocabulary`, `highlight`, `scan`, `history`; `lines` reads pipes
and terminals that can show nothing but lines.
"""
