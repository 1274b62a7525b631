"""The paper under test: its claims, and what does not fit inside its own tables."""
