"""What would make a result wrong, found before training: rules, shortcuts, instruments."""
