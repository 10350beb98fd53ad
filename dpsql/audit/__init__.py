"""`dpsql audit`: how much an attacker can really tell, measured on the owner's own policy.

The owner's tables are built again, empty, in memory, from their schema; invented people
(*canaries*) go in or stay out, and the answers of the whole engine, the one that analysts get, are
searched for the difference. From how often the difference is seen follows a lower bound on the ε
that was really given (Jagielski, Ullman and Oprea, NeurIPS 2020; for one run Steinke, Nasr and
Jagielski, NeurIPS 2023). It can show that a claim is wrong; it can never prove one right: that is
what docs/proofs is for. No row of the owner's data is read.
"""
