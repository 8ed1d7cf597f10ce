"""The compiled engine: one kernel for all remedies, skipping what cannot matter."""
