"""How slow a machine may be that runs the tests beside much else."""

# What is to end at once ends within that.
BUSY_SECONDS = 10.0
