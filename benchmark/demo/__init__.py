"""The miniatures of every data set that the demo profile makes itself."""
