"""A budget that changes while it is spent: a stream is classified window by window, each before its deadline."""
