"""A policy with its expressions compiled, once per policy and process."""

from __future__ import annotations

import threading
from collections import OrderedDict

from tierwise import expressions
from tierwise.domain.policy import Policy, Runnable
from tierwise.domain.rules import Stage

CRITERION: Stage = "gate"  # a criterion's levels see what a gate sees: the lead, and nothing that follows from it
_KEPT = 8

_lock = threading.Lock()
_compiled: OrderedDict[str, Runnable] = OrderedDict()


def compile(policy: Policy) -> Runnable:
    """All that deciding a lead needs. Cheap when the same policy was compiled before; raises Misconfigured."""
    digest = policy.digest()
    with _lock:
        if digest in _compiled:
            _compiled.move_to_end(digest)
            return _compiled[digest]
    runnable = Runnable(
        policy=policy,
        digest=digest,
        rules={rule.id: expressions.compile(rule.when, rule.stage) for rule in policy.every_rule},
        levels={
            (criterion.id, level.id): expressions.compile(level.when, CRITERION)
            for criterion in policy.rubric.criteria
            for level in criterion.levels
            if level.when is not None
        },
        likeness=expressions.alike,
    )
    with _lock:
        _compiled[digest] = runnable
        while len(_compiled) > _KEPT:
            _compiled.popitem(last=False)
    return runnable
