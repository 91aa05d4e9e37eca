"""AKS on loopback: a Kubernetes API, a rollout controller, and what runs behind it.

Data flows one way: a request (api) -> the objects (store) -> the controller (rollout, replica sets)
-> the nodes (pods) -> what answers (backends, ingress). None of it is Kubernetes: see the README
for what it leaves out.
"""
