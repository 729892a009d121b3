"""`graticule study`: one question of a field answered from pictures to page."""
