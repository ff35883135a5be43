"""PostgreSQL's change log: logical decoding by pgoutput, with the publication and the slot that it needs."""
