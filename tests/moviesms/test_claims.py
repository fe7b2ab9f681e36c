"""Claims: a token tells whether the process that made it is dead."""

import uuid

from moviesms import claims
from tests.processes import token_of_the_dead


def test_a_claim_of_a_living_process_is_not_taken_for_a_dead_one() -> None:
    assert not claims.is_of(claims.token(), claims.dead_processes())


def test_a_claim_of_a_dead_process_is_known() -> None:
    assert claims.is_of(token_of_the_dead(), claims.dead_processes())


def test_a_child_that_dies_takes_nothing_from_its_parent() -> None:
    token = claims.token()
    dead = token_of_the_dead()
    assert not claims.is_of(token, claims.dead_processes())
    assert token.hex[:16] != dead.hex[:16]


def test_what_is_forgotten_and_what_was_never_known_passes_for_living() -> None:
    token = token_of_the_dead()
    claims.forget(claims.dead_processes())
    assert not claims.is_of(token, claims.dead_processes())
    assert not claims.is_of(uuid.uuid4(), claims.dead_processes())
