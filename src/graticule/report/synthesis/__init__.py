"""The page of generated images: may they train, and why."""
