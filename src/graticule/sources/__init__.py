"""The user's folder or table to a manifest: one row per image."""
