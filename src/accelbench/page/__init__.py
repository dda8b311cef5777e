"""What reports say, for people: the page of a run, and the tables of the terminal."""
