"""Built-in raw data of the demo profile: miniatures of every data set."""
