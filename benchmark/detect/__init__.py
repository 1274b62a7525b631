"""Finding faces in the dark: detectors, the darkened WIDER images, files from elsewhere, tests."""
