"""What the tour asks, and what the owner would answer.

`truth` is the owner's own SQL on the raw tables: the key, then what the private answer estimates,
then, where clamping makes a difference, what the plain query would have said.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Question:
    """A question of the tour. `truths` heads the columns of true values; `lesson` follows it."""

    kind: str
    words: str
    sql: str
    truth: str
    truths: tuple[str, ...] = ("true",)
    lesson: str = ""


COUNT = Question(
    "a count",
    "How many people call their own health fair or poor?",
    "SELECT COUNT(*) FROM persons WHERE health IN ('fair', 'poor')",
    "SELECT 'people', COUNT(*) FROM persons WHERE health IN ('fair', 'poor')",
    lesson="One person changes a count by at most 1, so noise of about ±3 hides any one of them.",
)

HISTOGRAM = Question(
    "a histogram by a public key",
    "How do people rate their health?",
    "SELECT health, COUNT(*) FROM persons GROUP BY health",
    "SELECT health, COUNT(*) FROM persons GROUP BY health",
    lesson="The policy lists the four words, so all four are shown, and each person is in one of "
    "them: the whole histogram costs what a single count costs.",
)

AVERAGE = Question(
    "an average by group",
    "What do a person's medical bills come to in a year, by insurance plan?",
    "SELECT p.plan, AVG(y.medical) FROM person_years y\n"
    "JOIN persons p ON p.zper = y.zper GROUP BY p.plan",
    "SELECT p.plan, AVG(LEAST(y.medical, 2000)), AVG(y.medical) FROM person_years y "
    "JOIN persons p ON p.zper = y.zper GROUP BY p.plan",
    ("true, cut", "uncut"),
    lesson="A person has up to five years here and all of them are protected together. The policy "
    "cuts a bill at 2,000: one person had a bill of 39,182, and to hide that person without the "
    "cut, the noise would have to be 20 times larger. The cut pulls the averages down; the error "
    "bar is about the noise and does not show this. (Fewer people on a plan, wider bar.)",
)

PRIVATE_KEY = Question(
    "a sum over a private key",
    "What do families earn in all, by years of schooling?",
    "SELECT education, SUM(income) FROM persons GROUP BY education",
    "SELECT education, SUM(income) FROM persons GROUP BY education",
)

PEOPLE_BY_KEY = "SELECT education, COUNT(*) FROM persons GROUP BY education"
"""The owner's view of which groups question four withholds."""

REPEAT = Question(
    "a repeat that is free",
    "The histogram again, largest group first?",
    "SELECT health, COUNT(*) FROM persons GROUP BY health\nORDER BY COUNT(*) DESC",
    HISTOGRAM.truth,
    lesson="Below the noise it is the same question, so the very same noisy numbers come back: "
    "nobody can average the noise away by asking twice.",
)

QUESTIONS = (COUNT, HISTOGRAM, AVERAGE, PRIVATE_KEY, REPEAT)

COMPARED = Question(
    "one histogram at three prices",
    "How many people are on each insurance plan?",
    "SELECT plan, COUNT(*) FROM persons GROUP BY plan",
    "SELECT plan, COUNT(*) FROM persons GROUP BY plan",
)

EPSILONS = ("0.01", "0.1", "0.5")
"""Its prices, the least first: smaller ones are free to who has paid a larger one."""

REFUSED = "SELECT site, COUNT(*) FROM persons GROUP BY site"
"""One question more than the budget covers."""
