"""The metadata service: who is asking, cached, answered.

The road of one request, in order::

    service.MetadataService.handle   every request arrives here
      identity.claim_by_…            which headers count, and are they signed?
      owners.find_owners             whose is this address? (where nobody signs for an id)
      memory.Memory                  what is known, kept warm; one look-up at a time
      record.Record                  one instance with its rendered documents
      door.Door                      /openstack: targets are asked ahead, guests may be held
        vigil.Vigil                  … and their servers set to ERROR (verdict)
      answering.Answering            vendor_data2.json, once the targets have answered
      flow.answered                  what went wrong on the way, answered once
      refusals.Refusal               everything that is not a 200

`origin` says where instances come from, `deploy` puts it all together.
"""
