"""The documents people write about instances: read, checked, written back."""
