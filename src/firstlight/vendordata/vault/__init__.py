"""Secrets from Vault, or OpenBao: one secret of a key-value engine (version 2), all keys in it.

``opening`` makes one from the configuration and is the only module that can do without hvac;
``token`` is how we are let in and stay in, ``login`` the ways of getting in, ``secrets`` what is
read then.
"""
