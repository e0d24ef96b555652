"""What one comparison knows and notes: the policy in force, the rules it needed, the rung that decided."""

from __future__ import annotations

from dataclasses import dataclass, field

from reasonry.verifiers.maths.policy import Policy

__all__ = ["Context"]

_RUNGS = ("text", "number", "exact", "structure", "sets", "words", "prose", "algebra", "numeric", "symbolic")


@dataclass(slots=True)
class Context:
    """`relaxed` are the rules that made an answer acceptable; `rung` the most expensive comparison used so far."""

    policy: Policy
    relaxed: set[str] = field(default_factory=set[str])
    rung: str = "exact"

    def may(self, rule: str) -> bool:
        """Whether a rule holds; it is noted as needed."""
        if rule in self.policy.off:
            return False
        self.relaxed.add(rule)
        return True

    def reached(self, rung: str) -> None:
        if _RUNGS.index(rung) > _RUNGS.index(self.rung):
            self.rung = rung
