"""Training of the network: loop, optimizer, checkpoints, validation and distributed processes."""
