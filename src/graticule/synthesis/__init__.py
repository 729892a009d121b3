"""Images of rare kinds made by a machine: are they copies, are they right, do they help."""
