// Drag a seal to its place.
