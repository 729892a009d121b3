"""Processes that do work on a user's files under limits of memory and time."""
