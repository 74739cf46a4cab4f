"""Where a report is commented: one file a code host, `thread(environ)` tells what is reviewed there."""
