"""Labels of other formats as COCO files, one module for each format; and splits of a set."""
