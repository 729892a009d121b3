"""The engine that trains networks: processes, checkpoints, memory, pixels, order; it names no class."""
