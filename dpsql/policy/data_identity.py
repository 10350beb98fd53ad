"""The data version as ledger and release store keep it: the owner's text, and which database.

A stored release is an answer about one database. Two policies may share a ledger, and an owner may
point `database:` at other data and forget `data_version`: then its text alone would hand an answer
about other people out for nothing. Charges do not depend on it.
"""

from __future__ import annotations

import hashlib

from dpsql.policy.schema import Policy

DIGITS = 12  # of SHA-256 in hexadecimal: 48 bits tell the databases of one ledger apart


def stored_version(policy: Policy, identity: str) -> str:
    """`version@digest`, such as `2026-11@3f2a90c41b7e`; no path, for analysts may see it.

    `identity` is the engine's: equal for one database however it is reached, and for no other. Two
    versions or two databases never give one text: what follows the last `@` is the digest, always
    of one length.
    """
    digest = hashlib.sha256(identity.encode("utf-8", "surrogateescape")).hexdigest()
    return f"{policy.data_version}@{digest[:DIGITS]}"
