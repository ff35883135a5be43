"""What draining an outbox costs, beside reading the same rows by their ids."""
