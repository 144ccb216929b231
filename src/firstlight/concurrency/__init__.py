"""What several parts share to do things at once: workers, timers, deadlines, circuit breakers."""
