"""``GET /openstack``, held until required vendor data is there, and what follows when it is not."""
