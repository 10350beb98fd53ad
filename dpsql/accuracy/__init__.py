"""Ask by accuracy: the least price at which an expected error meets its target.

`columns`: which columns a target is for, and their expected half-widths. `prices`: the prices that
may be asked. `search`: the least of them. `settle`: a whole statement. `curve`: error against
price, for explain. `measured`: percentages that take a small paid look first.
"""
