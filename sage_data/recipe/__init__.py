"""Recipes: an experiment as a readable list of stages, planned and run with content hashes."""
