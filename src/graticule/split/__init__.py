"""Who stands where: units that belong together, folds, parts, leaks."""
