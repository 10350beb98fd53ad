"""What would make an answer better: other queries and policies, each planned before it is told."""

from dpsql.advice.improvements import Question as Question
from dpsql.advice.improvements import improvements as improvements
from dpsql.advice.improvements import other_law as other_law
