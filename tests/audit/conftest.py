"""The fixtures of this room, shared with tests/gates."""

from __future__ import annotations

from audit_fixtures import audit, fixed_entropy, found, uncertified

__all__ = ["audit", "fixed_entropy", "found", "uncertified"]
