"""Build the image of the Containerfile with Podman and run the composition's services from it, without a registry."""
