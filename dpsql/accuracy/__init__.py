"""Ask by accuracy: the least price at which an expected error meets its target.

`columns`: which columns a target is for, and their expected half-widths. `computed`: those of sums,
differences and ratios. `prices`: the prices that may be asked. `search`: the least of them.
`settle`: a whole statement. `left`: what a budget that is too small still covers. `curve`: error
against price, for explain. `measured`: percentages that take a small paid look first. `words`: all
of it for people.
"""
