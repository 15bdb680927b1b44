"""The HTTP API: routes as data, wire types and their mapping. Behaviour lives in the stages and the store."""
