"""A renderer of 16-bit thermal scenes and the data set that it makes."""
