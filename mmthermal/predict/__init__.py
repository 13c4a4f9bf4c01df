"""Detect objects in images, folders and videos."""
