"""Azure Resource Manager and the Microsoft.MachineLearningServices resource provider, on the wire."""
