"""What people on duty look at: is anything wrong now, and why. Reads what others recorded; asks Azure for nothing."""
