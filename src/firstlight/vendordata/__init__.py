"""The vendordata service: a WSGI application that asks providers about one instance.

``contract`` is what a provider is; ``testing`` the suite every provider should pass;
``dispatch.dispatcher`` asks the enabled ones side by side; ``http.responses`` shapes what they
said; ``http.app`` has the paths; and ``deploy`` puts the layers together.
"""
