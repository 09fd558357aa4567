"""Makes dialogues: Reddit threads, gates, annotation, State-Action Chains, and the store every stage writes to."""

__version__ = "0.1.0"
