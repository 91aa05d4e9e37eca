"""Which compute should be off, and the run that turns it off. Pure: no SDK, no settings."""
