"""The providers that come with the service; each is an entry point of ``firstlight.providers``."""
