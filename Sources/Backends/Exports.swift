// Facts, orders and policies speak of spans of time and of addresses, so that whoever imports the
// registry has them too.
@_exported public import Settings
