"""What `dpsql check` tells the owner."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Level = Literal["error", "warning", "note"]


@dataclass(frozen=True, slots=True)
class Finding:
    """One sentence about one place of the policy.

    `error`: dpsql will not run so. `warning`: it runs, but not as the owner may think.
    `note`: how dpsql understands the file. `where` is a path such as tables.users.columns.age.
    """

    level: Level
    where: str
    message: str
    hint: str = ""
