"""The domain, and the clients it acts through. Runs without a Functions host."""
