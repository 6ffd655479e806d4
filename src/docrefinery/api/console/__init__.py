"""The web console: a page of native browser modules, served as they lie in the package, that is a client of the API."""
