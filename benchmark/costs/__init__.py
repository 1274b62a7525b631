"""What methods cost: parameters, arithmetic, seconds and memory."""
