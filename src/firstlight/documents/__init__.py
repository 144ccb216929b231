"""Instance and answers in, the bytes of every path out. No I/O, no clock.

::

    documents = Documents(instance, Settings(), static={}, today="2026-11-21")
    documents.get(("openstack", "latest", "meta_data.json"))

Both trees of metadata-api §1 are here: ``openstack/VERSION/DOCUMENT``, ``openstack/content/NNNN``,
and ``[ec2/]VERSION/…``. The HTTP service, the config drive and ``firstlight show`` carry what this
module says; none of them works it out again.
"""

from firstlight.documents.additions import NOTHING_ADDED, Additions, InjectedFile
from firstlight.documents.bare_metal import BareMetal
from firstlight.documents.document import SEED_BYTES, Document, Hole, seed
from firstlight.documents.paths import segments
from firstlight.documents.tree import (
    STATIC,
    AnswersNeeded,
    Documents,
    SecurityGroupsNeeded,
    TreeSettings,
    version_list,
)
from firstlight.documents.walk import walk

__all__ = [
    "NOTHING_ADDED",
    "SEED_BYTES",
    "STATIC",
    "Additions",
    "AnswersNeeded",
    "BareMetal",
    "Document",
    "Documents",
    "Hole",
    "InjectedFile",
    "SecurityGroupsNeeded",
    "TreeSettings",
    "seed",
    "segments",
    "version_list",
    "walk",
]
