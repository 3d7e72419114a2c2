//! Administers the 389 Directory Servers of a host: finds out what is there, and carries out what `directory` has planned.
