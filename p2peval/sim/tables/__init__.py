"""Both tables of trust.md §5: what checking catches and costs, and whom a rule asks, without nodes or messages."""
