internal import Backends
internal import Exchanges
internal import HTTPWire
internal import SessionAffinity

/// One request with its response, in its loop's slab: plain data.
///
/// Request and response are two halves that move on their own: a process may answer before the
/// upload is complete, and a client may still read when the process has long been released.
struct Exchange {
    let downstream: Int32
    private(set) var source = ResponseSource.undecided
    /// What is decided about it.
    var machine: ExchangeMachine

    var route: Int32 = -1
    var group: Int32 = -1
    /// The index of the codec of its cookie, by route and by whether the client is on TLS.
    var codec: Int32 = 0

    /// Who asks: the peer, or whom a trusted proxy speaks for; nil: on a unix socket.
    var client: IPAddress?
    /// The client's own connection is encrypted.
    var isSecure = false

    /// Facts of the request head.
    var method = RequestMethod.other
    var headLength = 0
    /// The path has dot segments, and is resolved before it is matched and sent.
    var resolvesPath = false
    /// Bytes at the front of the path, resolved, that the process does not see.
    var prefixLength = 0
    var requestLine = ByteRange(start: 0, count: 0)
    /// The client's `X-Request-Id`, in the head; empty: it sent none that may be passed on.
    var requestID = ByteRange.empty
    /// The id that the request was given here; nil: it brought one, or its listener gives none.
    var generatedID: GeneratedID?
    /// The client takes fields behind a chunked response.
    var takesTrailers = false
    /// Fields behind the body are passed on, and so come in one piece.
    var holdsRequestTrailers = false
    var holdsResponseTrailers = false
    /// The head was none: where the request ends cannot be told.
    var isRejected = false
    var requestBody = BodyDecoder.none
    var isRequestChunked = false
    /// It came in chunks and is kept as a whole: it is sent with its length, `keptBytes`, as
    /// applications without support for chunks would take it for empty.
    var isMeasured = false
    var requestBodyBytes: UInt64 = 0

    /// What was read of the body before the slot: plain data.
    ///
    /// Where it is not all of a chunked body it is sent as one chunk, whose end is here too.
    var stored = BlockChain()
    /// How far of that has been sent.
    var storedCursor = ChainCursor()
    /// Decoder and count behind what is stored, to send what follows it again.
    var keptBody = BodyDecoder.none
    var keptBytes: UInt64 = 0

    /// The protocols that the process is asked to switch to, in the request's head; empty: none.
    var offeredUpgrade = ByteRange(start: 0, count: 0)

    var responseBody = BodyDecoder.none
    /// There was no body, so that the process may be about to send one that it should not.
    var awaitsSilence = false
    /// How long the process keeps the connection, as it says, in seconds; 0: it does not.
    var upstreamKeptFor: UInt32 = 0
    /// Whoever speaks on its connection to the process may be taken for its user from here on.
    var signsInConnection = false

    /// For the log: monotonic ns.
    let startedAt: Int64
    /// Since when it wants a slot; 0: it has had one, or has not asked.
    var askedAt: Int64 = 0
    var grantedAt: Int64 = 0
    var firstByteAt: Int64 = 0
    var status: UInt16 = 0
    var bytesToClient: UInt64 = 0
    var verdict = Verdict.none
    /// The verdict is to be counted, once it is known whether the session's process is there.
    var owesVerdict = false
    var refused = false
    /// Tells one browser's requests on a connection of HTTP/2 from others; 0: it joins no session but its
    /// own.
    var visitor: UInt64 = 0

    /// The cookie value that came with the request was good, and is young enough to be kept.
    var cookieIsCurrent = false
    /// Which of the cookies that sessions are learned from counts for the request's session: the first of
    /// them that it carries, by its index in `learn`; -1: it carries none.
    var learnedFrom: Int32 = -1
    /// The session has ended by the response's word: the client is to forget its cookie.
    var forgetsCookie = false

    init(downstream: Int, startedAt: Int64) {
        self.downstream = Int32(truncatingIfNeeded: downstream)
        self.startedAt = startedAt
        machine = ExchangeMachine(waiter: WaiterTag(0))
    }

    var requestPhase: RequestState.Phase { machine.request.phase }
    var responsePhase: ResponseState.Phase { machine.response.phase }

    /// Takes the response to its next source, by the table of `ResponseSource`.
    mutating func move(source next: ResponseSource) {
        assert(source.leads(to: next), "a response's source goes from \(source) to \(next)")
        source = next
    }
}
