"""The chaos harness: kills, faults and planted bugs, and a judge who compares with a model.

Run it with `python -m tests.chaos --quick`; its README says what it does and how to read it.
"""
