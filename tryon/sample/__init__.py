"""Select pairs from the manifests, keep training and test apart, and pack the subset for training."""
