"""The stages of a query, one module each; `stages` has the type that each hands to the next.

parse, bind, plan, rewrite, certify, charge, execute, perturb, postprocess.
"""
