"""What the server says of itself: access log, counters, Prometheus metrics, probes."""
