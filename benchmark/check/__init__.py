"""New results against committed ones, under other conditions, and plans of what runs take."""
