"""Trainings over configs and seeds, compared: runs, statistics, reports."""
