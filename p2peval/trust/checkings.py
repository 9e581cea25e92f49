"""Rules for how much to check, by the names that config.toml uses (``defaults.CHECKINGS``; trust.md §4, §5)."""

from __future__ import annotations

from p2peval.trust.checking import CheckingRule
from p2peval.trust.rule import audit_rule

CHECKINGS: dict[str, CheckingRule] = {
    "audit": audit_rule,
}
