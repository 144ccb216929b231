"""``pollinate.wsgi:application``, for gunicorn and uWSGI; it is built when it is first called."""

from firstlight.vendordata.wsgi import pollinate_application as application

__all__ = ["application"]
