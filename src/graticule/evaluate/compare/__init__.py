"""Two or more runs on the same images, paired."""
