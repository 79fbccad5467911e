// Compiled only for its precompiled header, which all test programs share.
