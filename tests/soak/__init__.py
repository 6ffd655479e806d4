"""`make soak`: faults at random against a real installation, for as long as one likes."""
