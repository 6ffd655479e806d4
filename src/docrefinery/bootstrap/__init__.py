"""The composition root: the one place that knows every concrete class. A module for each kind of process."""
