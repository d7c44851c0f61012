"""What readers get beside the figures: captions, printed tables, the site and the closing lines."""
