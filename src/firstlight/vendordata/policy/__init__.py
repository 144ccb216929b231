"""On which terms a provider answers: who may read it, and how often a secret is given out."""
