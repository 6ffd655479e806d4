"""The built-in malware scanners, one a file."""
