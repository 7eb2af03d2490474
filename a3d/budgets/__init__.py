"""What does a budget buy: cost, table, published tables, profile of this machine."""
