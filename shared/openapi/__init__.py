"""The HTTP API described for machines: one value per operation, schemas from the models themselves."""
