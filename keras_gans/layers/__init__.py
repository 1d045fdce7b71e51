"""Public layers."""
