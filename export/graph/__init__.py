"""What goes into an exported graph: signatures, latents from seeds, pictures, warm-up."""
