internal import Exchanges
internal import HTTPWire

/// The slot of a request whose client has left while the process works on it.
///
/// The process does not know, or does not care, and its thread is busy until it is done. So the slot stays
/// taken until the process has answered, or ends its side of the connection; it is told the end of ours,
/// and what it still says is thrown away, for a moment: then the connection is closed, and its writes fail.
struct AbandonedSlot {
    var left: LeftBehind
    /// Of the request: a response to HEAD has no body.
    let method: RequestMethod
    /// Nil: the head of the response has not come yet.
    var body: BodyDecoder?
}
