"""WinRM itself: getting to a host, and the calls of one shell. What the plug-ins for Windows share."""
