"""What there is: presets, their cards, and their addresses on hubs. No TensorFlow here."""
