"""What every layer uses: files, boxes, pictures, checks of settings."""
