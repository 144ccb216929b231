"""Providers asked side by side under one deadline; what became of each."""
