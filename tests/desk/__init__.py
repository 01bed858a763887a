"""What people who use other systems complain of must not be true of ours."""
