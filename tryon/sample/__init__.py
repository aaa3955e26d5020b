"""Choose pairs from the manifests, keep training and test apart, pack everything that training needs."""
