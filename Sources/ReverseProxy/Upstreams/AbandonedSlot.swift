internal import Exchanges
internal import HTTPWire

/// The slot of a request whose client has left while the process works on it.
///
/// The process does not notice, or does not react, and its thread is busy until it is done. So the
/// slot stays taken until the process has responded or closed its side of the connection. It sees
/// our side closed, and what it still sends is discarded for a moment: then the connection is
/// closed, and its writes fail.
struct AbandonedSlot {
    var left: LeftBehind
    /// The request's method: a response to HEAD has no body.
    let method: RequestMethod
    /// Nil: the head of the response has not arrived yet.
    var body: BodyDecoder?
}
