"""One module a DVC stage: parse arguments, call the suite, write the outputs."""
