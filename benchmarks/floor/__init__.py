"""The floor: the least that an honest webhook does, on the same server and the same database."""
