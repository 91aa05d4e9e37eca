"""The Azure estate as it is: subscriptions, workspaces, machines, and how they change in time."""
