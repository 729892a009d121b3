"""Images to rows of features: embedding, its cache, and samples with their features."""
