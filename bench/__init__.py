"""Side by side with the real peers, in one run: ``make bench``."""
