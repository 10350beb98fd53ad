"""The owner's log `dpsql.owner`: what must not reach analysts, such as the engine's own words.

Silent and without propagation until the owner adds a handler of their own.
"""

from __future__ import annotations

import logging

OWNER_LOG = logging.getLogger("dpsql.owner")
OWNER_LOG.addHandler(logging.NullHandler())
OWNER_LOG.propagate = False
