"""The shipped data set of real people, and the guided tour over it."""
