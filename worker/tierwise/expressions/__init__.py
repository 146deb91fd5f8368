"""The door to CEL: expressions of rules and criteria are checked against the field catalogue and run here.

Checked in an environment where every field has its type, run in one where an absent field makes the answer
unknown instead of false. It knows nothing of files, policies or what an answer leads to.
"""

from __future__ import annotations

from tierwise.expressions.checking import LONGEST, CompileError, check
from tierwise.expressions.environments import Variable, variables
from tierwise.expressions.hints import closest
from tierwise.expressions.nodes import Node, tree
from tierwise.expressions.predicates import Remembering, alike, compile

__all__ = [
    "LONGEST", "CompileError", "Node", "Remembering", "Variable", "alike", "check", "closest", "compile", "tree",
    "variables",
]  # fmt: skip
