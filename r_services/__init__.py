"""R scoring services: real ones to look after. Never deployed with the app."""
