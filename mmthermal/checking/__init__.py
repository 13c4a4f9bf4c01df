"""The check of a data set before a training: what would spoil it, counted, with what to do."""
