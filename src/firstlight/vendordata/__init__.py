"""The vendordata service: a WSGI application that asks providers about one instance.

``contract`` is what a provider is; ``testing`` the suite every provider should pass; ``panel`` asks
the enabled ones side by side; ``answers`` shapes what they said; ``app`` is the HTTP of it; and
``deploy`` puts the layers together.
"""
