/** Something outside the program was wrong, or the program has a bug; what went wrong was said on standard error. */
export const EXIT_FAILURE = 1;
/** The command line or the configuration was wrong; nothing was started. */
export const EXIT_USAGE = 2;
/** A process that ends at once because of a signal exits with this plus the signal's number, as shells report it. */
export const EXIT_SIGNAL_BASE = 128;
