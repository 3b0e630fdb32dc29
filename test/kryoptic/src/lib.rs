// Nothing: the module is built out of its own crate.
