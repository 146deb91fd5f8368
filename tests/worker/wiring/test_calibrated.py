"""The calibration that applies, and why another does not."""

from __future__ import annotations

import pytest
from tierwise_fixtures import answers

from tierwise import wiring
from tierwise.domain import calibration as calibrations
from tierwise.domain import fitting
from tierwise.errors import Misconfigured


def test_the_active_one_applies_where_it_fits(parts: wiring.Wiring) -> None:
    policy = parts.runnable().policy
    digest = calibrations.rubric_digest(policy.rubric, policy.prompt)
    learnt = fitting.fit(answers.policy(), answers.CHAIN, answers.labelled(55), source="test")
    fits = learnt.model_copy(update={"rubric": digest, "models": parts.chain(policy)})
    strange = learnt.model_copy(update={"rubric": digest, "models": ("other/one",)})
    kept = parts.store.calibrations
    for made, applies in ((fits, True), (strange, False)):
        kept.activate(kept.keep(made, by="me", note="", now=wiring.clock()), by="me", note="", now=wiring.clock())
        parts._in_force = None
        assert (parts.runnable().calibration is not None) is applies
        assert (parts.misfit(made, policy) is None) is applies
        assert parts.calibration("active").digest() == made.digest()
    kept.activate(None, by="me", note="", now=wiring.clock())
    parts._in_force = None
    assert parts.runnable().calibration is None
    with pytest.raises(Misconfigured, match="no calibration is active"):
        parts.calibration("active")
    with pytest.raises(Misconfigured, match="no calibration 'abcdef'"):
        parts.calibration("abcdef")
