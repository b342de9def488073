internal import HTTPWire

/// The heads that a loop has parsed last; used up before the next is parsed.
struct ParsedHeads: ~Copyable {
    var request = RequestHead()
    var response = ResponseHead()
    /// The exchange whose head is in `request` at the moment; -1: none.
    var exchange = -1
}
