"""Plug-ins that were written for nova-pollinate, as providers; they run unchanged.

``finding`` turns a name of the configuration into a class; ``calling`` knows the two contracts that
such classes were written to; ``host`` is the flask application they expect around them; and
``provider`` is the provider that all of it makes.
"""
