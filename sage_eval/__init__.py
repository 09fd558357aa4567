"""Judges dialogues: rollouts, order-swapped verdicts, exact statistics, lm-eval regressions, SQL, pages."""
