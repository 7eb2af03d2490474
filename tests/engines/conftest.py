from tests.trained import clips, fast_network, network
