internal import HTTPWire

/// The heads that a loop has parsed last; valid until the next one is parsed.
struct ParsedHeads: ~Copyable {
    var request = RequestHead()
    var response = ResponseHead()
    /// The exchange whose head is in `request` now; -1: none.
    var exchange = -1
}
