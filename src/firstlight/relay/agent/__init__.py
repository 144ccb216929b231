"""The agent: finds the server behind a guest's address, signs its id and passes the request on."""
