"""What a microscope or scanner wrote beside the pixels."""
