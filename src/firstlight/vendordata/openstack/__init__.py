"""What providers look up in OpenStack: each thing once a request, within the request's time.

``cloud`` is what a provider holds; ``service`` is one endpoint of the catalog, ``endpoints`` says
which there are; ``remembered`` keeps what seldom changes from one request to the next.
"""

from firstlight.vendordata.openstack.cloud import Cloud, CloudCache

__all__ = ["Cloud", "CloudCache"]
