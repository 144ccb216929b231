"""The parts of a response that differ from request to request."""
