//! A small client of the Networking API, for the command line, demonstrations and tests.
