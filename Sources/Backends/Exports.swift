// The registry's facts, orders and policies use `Interval` and `ProcessAddress`: importing Backends
// imports them too.
@_exported public import Settings
