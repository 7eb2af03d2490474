from tests.numbered import encode, numbers, root, write
