"""Numbers of the authors' programs, and what gives them here."""
