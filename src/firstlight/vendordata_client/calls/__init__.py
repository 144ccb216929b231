"""One call to one target: request, credentials, response, failures."""
