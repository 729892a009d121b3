"""Where the evidence lies in an image, and checks whether the maps mean anything."""
