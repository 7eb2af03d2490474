from tests.evidence import comparison
