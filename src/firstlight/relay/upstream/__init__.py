"""The metadata services that the relay passes requests to: connections, failures, balancing."""
