"""Connection tests: how far a machine can be reached, stage by stage."""
