"""The only code that touches a network or imports an SDK. Plain arguments in, domain values out."""
