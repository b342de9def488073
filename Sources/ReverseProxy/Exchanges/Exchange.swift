internal import Backends
internal import Exchanges
internal import HTTPWire
internal import SessionAffinity

/// Which part of a path, as `ScriptPath` has it, names the script.
struct ScriptSplit {
    /// Bytes in front; -1: none, the front controller answers for it.
    var length: Int32 = -1
    /// The name of the folder's index belongs behind them.
    var addsIndex = false
}

/// One request with its response, in its loop's slab: plain data.
///
/// Request and response are two halves that move on their own: a process may respond before the
/// upload is complete, and a client may still read when the process has long been released.
struct Exchange {
    let downstream: Int32
    private(set) var source = ResponseSource.undecided
    /// Its decisions.
    var machine: ExchangeMachine

    var route: Int32 = -1
    var group: Int32 = -1
    /// The index of its cookie's codec, by route and by whether the client uses TLS.
    var codec: Int32 = 0

    /// The client: the peer, or the one named by a trusted proxy; nil: a unix socket.
    var client: IPAddress?
    /// The client's own connection is encrypted.
    var isSecure = false

    /// Facts of the request head.
    var method = RequestMethod.other
    var headLength = 0
    /// The path has dot segments, and is resolved before it is matched and sent.
    var resolvesPath = false
    /// Bytes at the front of the resolved path that are hidden from the process.
    var prefixLength = 0
    /// Of FastCGI: what of the path is the script's name.
    var script = ScriptSplit()
    var requestLine = ByteRange(start: 0, count: 0)
    /// The client's `X-Request-Id`, in the head; empty: none that may be forwarded.
    var requestID = ByteRange.empty
    /// The id that Mooring generated; nil: the request brought one, or its listener generates none.
    var generatedID: GeneratedID?
    /// The client accepts trailers.
    var takesTrailers = false
    /// Trailers are forwarded, so they are decoded in one piece.
    var holdsRequestTrailers = false
    var holdsResponseTrailers = false
    /// The head was invalid: the end of the request is unknown.
    var isRejected = false
    var requestBody = BodyDecoder.none
    var isRequestChunked = false
    /// The body came in chunks and is stored completely: it is sent with its length, `keptBytes`,
    /// since applications without support for chunks would see an empty body.
    var isMeasured = false
    var requestBodyBytes: UInt64 = 0

    /// The part of the body read before the slot: plain data.
    ///
    /// If it is only part of a chunked body it is sent as one chunk, including the chunk's end.
    var stored = BlockChain()
    /// How much of `stored` was sent.
    var storedCursor = ChainCursor()
    /// Decoder and count after the stored part, to send the rest again.
    var keptBody = BodyDecoder.none
    var keptBytes: UInt64 = 0

    /// The protocols offered to the process, in the request's head; empty: none.
    var offeredUpgrade = ByteRange(start: 0, count: 0)

    var responseBody = BodyDecoder.none
    /// The response has no body, but some processes send one anyway.
    var awaitsSilence = false
    /// How long the process will keep the connection, in seconds (`Keep-Alive`); 0: not stated.
    var upstreamKeptFor: UInt32 = 0
    /// From here on the process may attribute requests on its connection to the authenticated user.
    var signsInConnection = false

    /// For the log: monotonic ns.
    let startedAt: Int64
    /// When it began to want a slot; 0: it has had one, or has not asked.
    var askedAt: Int64 = 0
    /// When it got a slot, or was refused one after it had waited; 0: neither has happened.
    var dequeuedAt: Int64 = 0
    var firstByteAt: Int64 = 0
    var status: UInt16 = 0
    var bytesToClient: UInt64 = 0
    var verdict = Verdict.none
    /// The verdict must be counted, once it is known whether the session's process exists.
    var owesVerdict = false
    var refused = false
    /// Distinguishes browsers that share an HTTP/2 connection; 0: the request joins only its own
    /// session.
    var visitor: UInt64 = 0

    /// Mooring's token behind the value of the application's session field, in the head, with its
    /// mark; empty: none.
    var token = ByteRange.empty
    /// The first piece of the response's body may announce the id of a session.
    var announcesID = false
    /// The request's token was valid, and is recent enough to be kept.
    var cookieIsCurrent = false
    /// The learned cookie that identifies the request's session: the first that it carries, by its
    /// index in `learn`; -1: it carries none.
    var learnedFrom: Int32 = -1
    /// The response ended the session, so the client's cookie must be deleted.
    var forgetsCookie = false

    init(downstream: Int, startedAt: Int64) {
        self.downstream = Int32(truncatingIfNeeded: downstream)
        self.startedAt = startedAt
        machine = ExchangeMachine(waiter: WaiterTag(0))
    }

    var requestPhase: RequestState.Phase { machine.request.phase }
    var responsePhase: ResponseState.Phase { machine.response.phase }

    /// Moves the response to its next source, checked against the table of `ResponseSource`.
    mutating func move(source next: ResponseSource) {
        assert(source.leads(to: next), "a response's source goes from \(source) to \(next)")
        source = next
    }
}
