"""The matrix as a specification: one test for each sentence that is claimed of a row (see claims.py)."""

import pytest
from matrix.claims import Claim, claims
from matrix.rows import chosen
from matrix.scenario import Outcome

CLAIMS = [claim for row in chosen() for claim in claims(row)]


@pytest.mark.parametrize(
    ("outcome", "claim"),
    [(claim.row, claim) for claim in CLAIMS],
    ids=[claim.id for claim in CLAIMS],
    indirect=["outcome"],
    scope="session",
)
def test_that(outcome: Outcome, claim: Claim) -> None:
    claim.check(outcome)
