"""Success rates of policies over fixed test seeds."""
