"""`dpsql ledger report --html`: one page that says what was spent, for people without dpsql.

`html` (elements that escape by themselves), `style` (the one style sheet), `charts` (curves and
bars as SVG), `sections` (the parts of the page), `report` (the whole). The page needs no network
and no script, and its Content-Security-Policy allows neither.
"""
