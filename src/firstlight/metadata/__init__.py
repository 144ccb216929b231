"""The metadata service: who is asking, cached, answered.

The road of one request, in order::

    service.MetadataService.handle   every request arrives here
      identity.identify              which headers count, and are they signed?
      memory.Memory                  what is known, kept warm; one look-up at a time
      record.Record                  one instance with its rendered documents
      refusals.Refusal               everything that is not a 200
"""
