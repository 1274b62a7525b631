"""What is wrong with pairs on disk: mispairs, misalignment, and the page that says so."""
