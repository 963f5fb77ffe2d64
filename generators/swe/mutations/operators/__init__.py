"""All operators, by name."""

from __future__ import annotations

from typing import Any

from generators.swe.mutations.operators import (
    arithmetic,
    assignments,
    branches,
    calls,
    classes,
    comparisons,
    constants,
    exceptions,
    indices,
    loops,
    returns,
)
from generators.swe.mutations.operators.operator import Operator

OPERATORS: dict[str, Operator[Any]] = {
    kind.name: kind()
    for kind in (
        comparisons.ComparisonBoundary,
        comparisons.ComparisonFlip,
        comparisons.BooleanOperator,
        comparisons.ConditionPartDropped,
        comparisons.NotRemoved,
        comparisons.ConditionInverted,
        arithmetic.ArithmeticOperator,
        arithmetic.AugmentedOperator,
        arithmetic.AccumulationLost,
        arithmetic.OperandSwap,
        arithmetic.SignRemoved,
        constants.ConstantChange,
        constants.DefaultChange,
        constants.KeyChanged,
        constants.SeparatorChanged,
        indices.IndexOffByOne,
        indices.SliceOffByOne,
        indices.RangeOffByOne,
        calls.ArgumentSwap,
        calls.ArgumentDropped,
        calls.CallRemoved,
        calls.CallUnwrapped,
        calls.SiblingCall,
        calls.AwaitRemoved,
        branches.BranchesSwapped,
        branches.BranchDropped,
        branches.GuardRemoved,
        branches.HandlerRemoved,
        loops.LoopExitChanged,
        loops.LoopRemoved,
        loops.ReturnIndented,
        loops.FilterDropped,
        returns.ReturnDropped,
        returns.ReturnVariable,
        returns.TupleOrder,
        assignments.AssignmentRemoved,
        assignments.StatementsSwapped,
        assignments.VariableMisused,
        exceptions.ExceptionCaught,
        exceptions.ExceptionRaised,
        classes.BaseRemoved,
        classes.MethodRemoved,
        classes.MethodBodiesSwapped,
        classes.DecoratorRemoved,
    )
}
"""In the order in which they are asked: a change that two would make is the first one's."""
