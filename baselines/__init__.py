"""One file a method; every file here that defines a plugin is found by name."""
